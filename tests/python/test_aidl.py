"""avf.rpc's reader of AIDL files."""
import unittest

import avf.rpc
from avf.rpc._aidl import parse

import support

GOOD = """
/* A comment. */
package com.example;
import com.example.Point;   // another one
@VintfStability
interface IFoo {
    const int LIMIT = 0x10;
    const String NAME = "a \\"name\\"";
    int add(int a, in @nullable int[] b, out Point c, inout byte[] d);
    oneway void fire(@utf8InCpp String s);
    @nullable List<String> all();
}
"""


class Parser(unittest.TestCase):
    def test_interface(self):
        [foo] = parse(GOOD).declarations
        self.assertEqual((foo.kind, foo.name), ("interface",
                                                "com.example.IFoo"))
        self.assertEqual(foo.constants, {"LIMIT": 16, "NAME": 'a "name"'})
        add, fire, everything = foo.methods
        self.assertEqual([a.direction for a in add.args],
                         ["in", "in", "out", "inout"])
        self.assertEqual(add.args[1].type.dims, [None])
        self.assertTrue(add.args[1].type.nullable)
        self.assertEqual((add.code, fire.code), (1, 2))
        self.assertTrue(fire.oneway and not add.oneway)
        self.assertTrue(everything.type.nullable)
        self.assertEqual(everything.type.args[0].name, "String")

    def test_codes_of_their_own(self):
        [foo] = parse("interface I { void a() = 5; void b() = 0; }"
                      ).declarations
        self.assertEqual([m.code for m in foo.methods], [6, 1])

    def test_oneway_interface(self):
        [foo] = parse("oneway interface I { void a(); }").declarations
        self.assertTrue(foo.methods[0].oneway)

    def test_parcelable_enum_union(self):
        file = parse("""
            parcelable P { int x = -1; String[] s; float f = 0.5f;
                           int[3] fixed; Colour c = Colour.RED; }
            @Backing(type="int") enum Colour { RED = 3, GREEN, }
            union U { int a; String b; }""")
        p, colour, union = file.declarations
        self.assertEqual([f.default for f in p.fields[:3]], [-1, None, 0.5])
        self.assertEqual(p.fields[3].type.dims, [3])
        self.assertEqual(colour.constants, {"RED": 3, "GREEN": 4})
        self.assertEqual((colour.backing, union.kind), ("int", "union"))

    def test_bad_files(self):
        rows = [
            ("", "something must be declared"),
            ("interface", "a name must be here"),
            ("interface I", "'{' must be here"),
            ("interface I {", "a type must be here"),
            ("interface I { int a( }", "a type must be here"),
            ("interface I { int a() }", "';' must be here"),
            ("package a.b interface I {}", "';' must be here"),
            ("class C {}", "interface, parcelable, enum or union"),
            ("interface I { # }", "is not AIDL"),
            ('interface I { const String S = "x\n"; }', "is not AIDL"),
            ("oneway interface I { int a(); }", "returns something"),
            ("interface I { oneway void a(out int[] b); }",
             "returns something"),
            ("/* no end", "is not AIDL"),
        ]
        for text, why in rows:
            with self.subTest(text):
                with self.assertRaises(avf.rpc.AidlError) as caught:
                    parse(text, "bad.aidl")
                self.assertIn(why, str(caught.exception))
                self.assertIn("bad.aidl", str(caught.exception))

    def test_line_numbers(self):
        with self.assertRaisesRegex(avf.rpc.AidlError, "f.aidl:3: "):
            parse("package a;\n\ninterface 5 {}", "f.aidl")


class Meaning(unittest.TestCase):
    def load(self, *texts):
        return avf.rpc.Aidl([parse(text, f"{i}.aidl")
                             for i, text in enumerate(texts)])

    def test_names(self):
        aidl = self.load("package a; parcelable P { int x; }",
                         "package b; import a.P; interface I { P f(in P p);"
                         " a.P g(); }")
        self.assertIs(aidl.P, aidl["a.P"])
        self.assertEqual(aidl.P(x=5), aidl.P(x=5))
        self.assertNotEqual(aidl.P(x=5), aidl.P())
        self.assertEqual(repr(aidl.P(x=5)), "P(x=5)")
        with self.assertRaises(TypeError):
            aidl.P(y=1)
        with self.assertRaises(AttributeError):
            aidl.Q

    def test_what_is_not_there(self):
        with self.assertRaisesRegex(avf.rpc.AidlError, "nothing declares P"):
            self.load("interface I { P f(); }")
        with self.assertRaisesRegex(avf.rpc.AidlError, "no union yet"):
            self.load("union U { int a; }")

    def test_defaults(self):
        aidl = self.load("""parcelable P { C c = C.B; int[] i = {1, 2};
                                           String s; boolean b = true; }
                            enum C { A, B }""")
        self.assertEqual(repr(aidl.P()), "P(c=1, i=[1, 2], s='', b=True)")
        aidl.P().i.append(3)
        self.assertEqual(aidl.P().i, [1, 2])

    def test_types_that_know_each_other(self):
        self.load("interface A { B b(); }", "interface B { A a(); }")
        self.load("parcelable Tree { @nullable Tree[] children; }")


if __name__ == "__main__":
    support.main()
