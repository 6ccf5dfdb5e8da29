"""avf.rpc's types as bytes, over sessions, and from peers that lie: what
compilers after Debian's take, and what is for Java alone."""
import contextlib
import gc
import os
import pathlib
import subprocess
import tempfile
import unittest

import avf.rpc
from avf.rpc._native import lib
from avf.rpc._values import PLAIN

import support

FILE = (support.SOURCE / "tests" / "python" / "com" / "example" /
        "IModern.aidl")
aidl = avf.rpc.load(FILE)
Modern = aidl.IModern
Shape = Modern.Shape
Corner = Shape.Corner


def kind_of(method, argument=0):
    """How an argument of a method is in a parcel."""
    return next(each.args[argument][2] for each in Modern._methods.values()
                if each.name == method)


class Parcel:
    def __init__(self, *words):
        self.pointer = lib.AParcel_create()
        for word in words:
            lib.AParcel_writeInt32(self.pointer, word - (word >> 31 << 32))
        lib.AParcel_setDataPosition(self.pointer, 0)

    def __del__(self):
        lib.AParcel_delete(self.pointer)

    def words(self):
        """What was written, as hexadecimal text."""
        end = lib.AParcel_getDataSize(self.pointer)
        lib.AParcel_setDataPosition(self.pointer, 0)
        read = [PLAIN["int"].read(self.pointer) for _ in range(end // 4)]
        lib.AParcel_setDataPosition(self.pointer, 0)
        return " ".join(each.to_bytes(4, "little", signed=True).hex()
                        for each in read)


class Bytes(unittest.TestCase):
    """The same bytes as tests/aidl/test_helpers.cpp's."""

    def travels(self, method, value, want, argument=0):
        kind = kind_of(method, argument)
        parcel = Parcel()
        kind.write(parcel.pointer, value)
        self.assertEqual(parcel.words(), want)
        back = kind.read(parcel.pointer)
        self.assertEqual(back, value)
        self.assertEqual(lib.AParcel_getDataPosition(parcel.pointer),
                         lib.AParcel_getDataSize(parcel.pointer))
        return back

    def test_enums(self):
        self.travels("repeatColour", Modern.Colour.BLUE, "04000000")
        self.travels("repeatColour", 77, "4d000000")    # a newer peer's
        self.travels("repeatSmall", Modern.Small.A, "ffffffff")
        self.travels("repeatLarge", Modern.Large.MANY, "00000000 00010000")
        self.travels("reverseSmalls", [Modern.Small.A, Modern.Small.B],
                     "02000000 ff050000")
        self.travels("reverseColours", [Modern.Colour.RED],
                     "01000000 01000000")
        back = self.travels("repeatColour", 2, "02000000")
        self.assertIs(back, Modern.Colour.GREEN)

    def test_fixed_arrays(self):
        self.travels("reverseFixed", [[1, 2, 3], [4, 5, 6]],
                     "02000000 03000000 01000000 02000000 03000000 "
                     "03000000 04000000 05000000 06000000")
        self.travels("reverseBytes", b"\1\2\3", "03000000 01020300")
        self.travels("reverseMaybeTexts", None, "ffffffff")
        self.travels("reverseMaybeTexts", ["x", None],
                     "02000000 01000000 78000000 ffffffff")

    def test_unions(self):
        form = Shape.Form
        self.travels("repeatForm", form(), "01000000 00000000 03000000")
        self.travels("repeatForm", form(sides=[1, 2]),
                     "01000000 01000000 02000000 01000000 02000000")
        self.travels("repeatForm", form(other=None),
                     "01000000 02000000 00000000")
        self.travels("repeatMaybeForm", None, "00000000")

    def test_parcelables(self):
        self.travels("repeatMap", {"x": Corner(x=1, y=2)},
                     "01000000 01000000 78000000 "
                     "01000000 0c000000 01000000 02000000")
        self.travels("repeatMaybeShape", None, "00000000")

    def test_holders(self):
        self.travels("repeatHolder", None, "01000000 00000000 00000000")
        name = "com.example.IModern.Shape.Corner"
        self.assertEqual(len(name), 0x20)
        text = (name + "\0\0").encode("utf-16le").hex(" ", 4)
        want = ("01000000 00000000 54000000 20000000 " + text +
                " 0c000000 01000000 02000000")
        self.travels("repeatHolder", Corner(x=1, y=2), want)

    def test_unknown_holders(self):
        """They are sent on as they came."""
        kind = kind_of("repeatHolder")
        words = [1, 0, 16, 1, ord("Z"), 8, 99]
        parcel, again = Parcel(*words, 12345), Parcel()
        value = kind.read(parcel.pointer)
        self.assertEqual(value.descriptor, "Z")
        self.assertEqual(PLAIN["int"].read(parcel.pointer), 12345)
        kind.write(again.pointer, value)
        self.assertEqual(again.words(), Parcel(*words).words())

    def test_java(self):
        self.travels("repeatAnyList", [None, "x", 5, 2**40, True],
                     "05000000 ffffffff 00000000 01000000 78000000 01000000 "
                     "05000000 06000000 00000000 00010000 09000000 01000000")
        self.travels("repeatAnyList", [[b"\1"], {"k": 1.5}],
                     "02000000 "
                     "0b000000 10000000 01000000 0d000000 01000000 01000000 "
                     "02000000 1c000000 01000000 00000000 01000000 6b000000 "
                     "08000000 00000000 0000f83f")
        self.travels("repeatAnyMap", {1: "x"},
                     "01000000 01000000 01000000 00000000 01000000 78000000")
        self.travels("repeatSequence", "abcd",
                     "01000000 01000000 04000000 61626364 00000000")
        self.travels("repeatSequence", "",
                     "01000000 01000000 00000000 00000000")


class Lies(unittest.TestCase):
    """Parcels that no honest peer writes end in an RpcError, at once."""

    def refused(self, method, *words, status="BAD_VALUE", argument=0):
        parcel = Parcel(*words)
        with self.subTest(method, words=words):
            with self.assertRaises(avf.rpc.RpcError) as caught:
                kind_of(method, argument).read(parcel.pointer)
            self.assertEqual(caught.exception.name, status)

    def test_ends(self):
        """Nothing, and the head of what is long."""
        for method in Modern._methods.values():
            for way, name, kind, _ in method.args:
                if way != "out":
                    parcel = Parcel()
                    with self.subTest(method.name):
                        with self.assertRaises(avf.rpc.RpcError) as caught:
                            kind.read(parcel.pointer)
                        self.assertEqual(caught.exception.name,
                                         "NOT_ENOUGH_DATA")

    def test_lengths(self):
        for method in ("reverseColours", "reverseLarges", "reverseTexts",
                       "reverseCorners", "reverseObjects", "reverseFiles",
                       "reverseModerns", "repeatMap", "repeatAnyList",
                       "repeatAnyMap", "reverseFixed"):
            self.refused(method, 2**31 - 1, 0, 0)
            self.refused(method, -2, 0, 0)
            self.refused(method, 100, 0, 0)
            self.refused(method, -1, status="UNEXPECTED_NULL")
        self.refused("reverseSmalls", -2)
        self.refused("reverseSmalls", 2**31 - 1, 0, status="NO_MEMORY")
        self.refused("reverseSmalls", -1, status="UNEXPECTED_NULL")

    def test_fixed(self):
        self.refused("reverseFixed", 3, *[3, 1, 2, 3] * 3)
        self.refused("reverseFixed", 2, 3, 1, 2, 3, 2, 1, 2)
        self.refused("reverseFixed", 2, 3, 1, 2, 3, -1,
                     status="UNEXPECTED_NULL")
        self.refused("reverseBytes", 2, 0)
        self.refused("reverseBytes", 4, 0)
        self.refused("reverseMaybeTexts", 1, -1)

    def test_nulls(self):
        self.refused("repeatShape", 0, status="UNEXPECTED_NULL")
        self.refused("repeatForm", 0, status="UNEXPECTED_NULL")
        self.refused("repeatHolder", 0, status="UNEXPECTED_NULL")
        self.refused("repeatSequence", 0, status="UNEXPECTED_NULL")
        self.refused("reverseCorners", 1, 0, status="UNEXPECTED_NULL")
        self.refused("reverseTexts", 1, -1, status="UNEXPECTED_NULL")
        self.refused("reverseObjects", 1, 0, 0, status="UNEXPECTED_NULL")

    def test_bodies(self):
        for size in (-1, 0, 3, 100, 2**31 - 1):
            self.refused("repeatShape", 1, size, 1, 1, 1)
        self.refused("repeatForm", 1, 4, 0)
        self.refused("repeatForm", 1, -1, 0)
        self.refused("repeatForm", 1, 2**31 - 1, 0)
        self.refused("repeatForm", 1, 2, 1, 100)
        # fields that reach behind their body
        self.refused("reverseCorners", 1, 1, 6, 1, 2)
        self.refused("reverseCorners", 1, 1, 10, 1, 2)

    def test_bodies_that_share_bytes(self):
        """What one reads behind its end would be read again by the next:
        twice as often with each."""
        tree = avf.rpc.Aidl([avf.rpc.parse(
            "parcelable Tree { @nullable Tree[] trees; }"
            "interface ITrees { void take(in Tree tree); }", "Tree.aidl")])
        take = next(iter(tree.ITrees._methods.values())).args[0][2]
        depth = 60
        words = []
        for left in range(depth, 0, -1):
            words += [1, 8, left - 1]   # a flag, a size, a length
        parcel = Parcel(*words)
        with self.assertRaises(avf.rpc.RpcError) as caught:
            take.read(parcel.pointer)
        self.assertEqual(caught.exception.name, "BAD_VALUE")

    def test_holders(self):
        self.refused("repeatHolder", 1, 1, 0)           # another stability
        self.refused("repeatHolder", 1, 0, -1)
        self.refused("repeatHolder", 1, 0, 100, 1, 2)
        self.refused("repeatHolder", 1, 0, 4, 100, status="NOT_ENOUGH_DATA")
        self.refused("repeatHolder", 1, 0, 4, 1, ord("Z"))

    def test_java(self):
        self.refused("repeatAnyList", 1, 99, 0, status="BAD_TYPE")
        self.refused("repeatAnyList", 1, 4, 0, status="BAD_TYPE")
        self.refused("repeatAnyList", 1, 21, 0, status="BAD_TYPE")
        self.refused("repeatAnyList", 1, 11, 99, 0)     # another size
        # a list is no key
        self.refused("repeatAnyMap", 1, 11, 4, 0, -1, status="BAD_TYPE")
        self.refused("repeatSequence", 1, 0, 0, status="BAD_TYPE")
        self.refused("repeatSequence", 1, 1, -2, 0)
        self.refused("repeatSequence", 1, 1, 4, 0)
        self.refused("repeatSequence", 1, 1, 1, 0xff)   # no UTF-8
        self.refused("repeatRawFile", 2, 0, status="BAD_TYPE")

    def test_files_that_nobody_gets(self):
        """What came before the lie is closed; so is what is for a method
        that the service does not have."""
        def parcel_of(kind, *words):
            parcel = Parcel(*words)
            lib.AParcel_setDataPosition(parcel.pointer, 4 * len(words))
            kind.write(parcel.pointer, fd)
            return parcel

        def answer(name, service, parcel):
            lib.AParcel_setDataPosition(parcel.pointer, 0)
            method = next(each for each in Modern._methods.values()
                          if each.name == name)
            return method.answer(service, parcel.pointer, None)

        fd = os.memfd_create("file")
        self.addCleanup(os.close, fd)
        lie = parcel_of(PLAIN["ParcelFileDescriptor"], 2)
        PLAIN["ParcelFileDescriptor"].write(lie.pointer, None)
        raw = parcel_of(kind_of("repeatRawFile"))
        before = os.listdir("/proc/self/fd")
        with self.assertRaisesRegex(avf.rpc.RpcError, "UNEXPECTED_NULL"):
            answer("reverseFiles", Service(), lie)
        self.assertEqual(os.listdir("/proc/self/fd"), before)
        self.assertEqual(answer("repeatRawFile", object(), raw), -74)
        self.assertEqual(os.listdir("/proc/self/fd"), before)

    def test_without_end(self):
        """A list in a list in a list..., deeper than Python goes."""
        depth = 20000
        words = []
        for each in range(depth):
            words += [1, 11, 12 * (depth - each - 1) + 4]
        parcel = Parcel(*words, -1)
        method = next(each for each in Modern._methods.values()
                      if each.name == "repeatAnyList")
        status = 0
        try:
            method.answer(Service(), parcel.pointer, None)
        except avf.rpc.RpcError as error:
            status = error.name
        self.assertEqual(status, "BAD_VALUE")


class Service:
    """com.example.IModern."""

    def fill(self, n):
        return list(range(1, n + 1)), [1, 2, 3], ["1", "2", "3"]


for method in Modern._methods.values():
    if method.name.startswith("repeat"):
        setattr(Service, method.name, lambda self, v: v)
    elif method.name.startswith("reverse"):
        setattr(Service, method.name,
                lambda self, v: None if v is None else v[::-1])


class Calls(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="avf-rpc")
        self.addCleanup(folder.cleanup)
        path = pathlib.Path(folder.name) / "socket"
        self.server = avf.rpc.Server(Modern.serve(Service()), path, fds=True)
        self.server.start()
        self.addCleanup(self.server.close)
        self.session = avf.rpc.Session(fds=True)
        self.addCleanup(self.session.close)
        self.test = Modern(self.session.connect_unix(path))

    def test_enums(self):
        self.assertIs(self.test.repeatColour(4), Modern.Colour.BLUE)
        self.assertEqual(self.test.repeatLarge(Modern.Large.MANY), 2**40)
        self.assertEqual(self.test.reverseSmalls([-1, 5, 7]), [7, 5, -1])
        self.assertEqual(self.test.reverseLarges([0, 2**40]), [2**40, 0])

    def test_shape(self):
        inner = Shape(name="inner", form=Shape.Form(sides=[1, 2]))
        shape = Shape(colour=Modern.Colour.RED, name=None,
                      form=Shape.Form(other=inner), more=Corner(x=1, y=2),
                      smalls=[Modern.Small.B], sizes={"many": 2**40})
        self.assertEqual(self.test.repeatShape(shape), shape)
        self.assertEqual(self.test.repeatMaybeShape(shape), shape)
        self.assertIsNone(self.test.repeatMaybeShape(None))
        corners = Shape.Form(corners=[Corner(x=1), Corner(y=2)])
        self.assertEqual(self.test.repeatForm(corners), corners)
        self.assertIsNone(self.test.repeatMaybeForm(None))

    def test_arrays(self):
        self.assertEqual(self.test.reverseFixed([[1, 2, 3], [4, 5, 6]]),
                         [[4, 5, 6], [1, 2, 3]])
        self.assertEqual(self.test.reverseBytes(b"abc"), b"cba")
        self.assertEqual(self.test.reverseMaybeTexts([None, "b"]),
                         ["b", None])
        self.assertIsNone(self.test.reverseMaybeTexts(None))

    def test_lists(self):
        self.assertEqual(self.test.reverseTexts(["a", "b"]), ["b", "a"])
        self.assertEqual(self.test.reverseMaybeList(["a", None]),
                         [None, "a"])
        self.assertIsNone(self.test.reverseMaybeList(None))
        corners = [Corner(x=1), Corner(x=2)]
        self.assertEqual(self.test.reverseCorners(corners), corners[::-1])
        objects = [Modern.serve(Service()).as_binder() for _ in range(2)]
        self.assertEqual(self.test.reverseObjects(objects), objects[::-1])
        moderns = [self.test, Modern.serve(Service())]
        self.assertEqual(self.test.reverseModerns(moderns), moderns[::-1])

    def test_maps(self):
        value = {"a": Corner(x=1), "b": Corner(y=2)}
        self.assertEqual(self.test.repeatMap(value), value)
        value = {"list": [1, "two", [3.5, None]], 2: {"x": b"y"},
                 "object": self.test.as_binder(), "no": False}
        self.assertEqual(self.test.repeatAnyMap(value), value)
        self.assertEqual(self.test.repeatAnyList([value, ()]), [value, []])
        self.assertEqual(self.test.repeatSequence("\u20ac"), "\u20ac")

    def test_holders(self):
        for value in (None, Corner(x=1), Shape(name="x"),
                      Shape.Form(radius=1)):
            self.assertEqual(self.test.repeatHolder(value), value)

    def test_files(self):
        fds = [os.memfd_create(name) for name in "ab"]
        back = self.test.reverseFiles(fds)
        back.append(self.test.repeatRawFile(fds[0]))
        for mine, other in zip([*fds[::-1], fds[0]], back):
            self.assertTrue(os.path.sameopenfile(mine, other))
            os.close(other)
        for fd in fds:
            os.close(fd)

    def test_out(self):
        self.assertEqual(self.test.fill([0, 0]),
                         ([1, 2], [1, 2, 3], ["1", "2", "3"]))

    def test_out_objects(self):
        """They have no length that a caller could say."""
        made = avf.rpc.Aidl([avf.rpc.parse(
            "interface IMaker { void make(out IMaker m, "
            "out @nullable IMaker n); }", "IMaker.aidl")])
        self.assertEqual(made.IMaker._methods[1].n_args, 0)

    def test_wrong_values(self):
        """The message says which one; the session lives on."""
        rows = [
            ("repeatColour", 2**31, r"repeatColour\(\).v: 2147483648 is not"),
            ("repeatSmall", 128, "is not between -128 and 127"),
            ("repeatSmall", "x", "repeatSmall"),
            ("repeatForm", 3, "a Form must be here, not 3"),
            ("repeatShape", Corner(), "a Shape must be here"),
            ("repeatShape", Shape(name=5), "Shape.name"),
            ("repeatForm", Shape.Form(sides=[1]), "1 elements, must be 2"),
            ("reverseBytes", b"ab", "2 elements, must be 3"),
            ("reverseFixed", [[1, 2, 3]], "1 elements, must be 2"),
            ("reverseTexts", 5, "reverseTexts"),
            ("repeatMap", {5: Corner()}, "repeatMap"),
            ("repeatAnyList", [object()], "has no place for"),
            ("repeatAnyList", [2**63], "is not between"),
            ("repeatHolder", 5, "a holder has no place for 5"),
            ("fill", 5, "fill"),
        ]
        for method, value, why in rows:
            with self.subTest(method, value=value):
                with self.assertRaisesRegex(TypeError, why):
                    getattr(self.test, method)(value)
        with self.assertRaisesRegex(avf.rpc.RpcError, "v: UNEXPECTED_NULL"):
            self.test.repeatShape(None)
        self.assertEqual(self.test.repeatSmall(5), 5)

    def test_wrong_results(self):
        """A service that returns what it may not is the peer's error."""
        for result, method in ((None, "repeatSequence"),
                               ("x", "repeatColour")):
            self.addCleanup(setattr, Service, method,
                            getattr(Service, method))
            setattr(Service, method, lambda self, v, r=result: r)
        with self.assertRaises(avf.rpc.RpcError):
            self.test.repeatSequence("x")
        with self.assertRaises(avf.rpc.RpcError):
            self.test.repeatColour(1)
        self.assertEqual(self.test.repeatSmall(5), 5)

    def test_peer_that_wants_much(self):
        """An "out" array of a peer's length is bounded."""
        class Many:
            def __len__(self):
                return 2**31 - 1

        with self.assertRaises(avf.rpc.RpcError) as caught:
            self.test.fill(Many())
        self.assertEqual(caught.exception.name, "NO_MEMORY")

    def test_gives_back(self):
        self.test.reverseObjects([Modern.serve(Service()).as_binder()])
        for _ in range(10000):
            gc.collect(0)
            self.test.as_binder().ping()
            if self.session.count_objects() == 1:
                break
        self.assertEqual(self.session.count_objects(), 1)


class WithJava(unittest.TestCase):
    """What is for Java alone, served by code of aidl in Java."""

    def setUp(self):
        classes = support.BUILD / "tests" / "java" / "rpc" / "classes"
        runtimes = dict(line.split(" ", 1) for line in
                        (support.BUILD / "lab-runtimes").read_text()
                        .splitlines())
        if "java" not in runtimes or not (classes / "TestTypes.class"
                                          ).exists():
            self.skipTest("Java's tests are not built")
        stack = contextlib.ExitStack()
        self.addCleanup(stack.close)
        path = stack.enter_context(tempfile.TemporaryDirectory(
            prefix="avf-rpc")) + "/socket"
        jar = support.BUILD / "java" / "libvirtualization.jar"
        server = stack.enter_context(subprocess.Popen(
            [f"{runtimes['java']}/bin/java", "-cp", f"{jar}:{classes}",
             "TestTypes", "serve", path], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True))
        self.assertEqual(server.stdout.readline(), "serving\n")
        self.session = avf.rpc.Session(fds=True)
        stack.callback(self.session.close)
        tests = support.SOURCE / "tests"
        self.aidl = avf.rpc.load(
            *(tests / "java/rpc/com/example" / f"{name}.aidl"
              for name in ("IJava", "JavaValues")),
            tests / "aidl/com/example/Point.aidl")
        self.java = self.aidl.IJava(self.session.connect_unix(path))

    def points(self, *numbers):
        return [self.aidl.Point(x=x, name=None) for x in numbers]

    def test_all(self):
        java = self.java
        self.assertEqual(java.turnTexts(["a", "b"], ["c", "d"]),
                         (["b", "a"], ["a", "b"], ["d", "c"]))
        self.assertEqual(java.turnPoints(self.points(1, 2), []),
                         (self.points(2, 1), self.points(1, 2), []))
        values = [None, True, 1, 2**40, 1.5, "text", b"bytes", ["list", []],
                  {"map": 1}, java.as_binder()]
        self.assertEqual(java.turnValues(values), (values[::-1], values))
        self.assertEqual(java.repeatMap({"a": 1, 2: ["b"]}),
                         {"a": 1, 2: ["b"]})
        self.assertEqual(java.turnObjectArray([java.as_binder()]),
                         [java.as_binder()])
        self.assertEqual(java.repeatSequence("\u20ac"), "\u20ac")
        self.assertIsNone(java.repeatMaybePoint(None))
        self.assertEqual(java.turnMaybePoints([*self.points(1), None]),
                         [None, *self.points(1)])
        self.assertEqual(java.count([0] * 3), (3, [1, 2, 3]))
        value = self.aidl.JavaValues(
            texts=["a"], points=self.points(1), values=[1, "b"],
            map={"k": "v"}, sequence="s", objects=[java.as_binder()],
            point=None, maybePoints=None, next=None)
        self.assertEqual(java.repeatValues(value), value)

    def test_files(self):
        fd = os.memfd_create("file")
        self.addCleanup(os.close, fd)
        [back] = self.java.turnFileArray([fd])
        raw = self.java.repeatRawFile(fd)
        for each in (back, raw):
            self.assertTrue(os.path.sameopenfile(each, fd))
            os.close(each)


if __name__ == "__main__":
    support.main()
