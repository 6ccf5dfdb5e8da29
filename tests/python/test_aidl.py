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
            ("interface I { int[; }", "a constant must be here"),
            ("interface I { const int A = ; }", "a constant must be here"),
            ("interface I { const int A = (1; }", "')' must be here"),
            ("interface I { const int A = 1 +; }", "a constant"),
            ("interface I { const int A = 1; const int A = 2; }",
             "A is there twice"),
            ("interface I { void a(); void a(); }", "a is there twice"),
            ("interface I { void a() = 1; void b() = 1; }",
             "the number 1 is there twice"),
            ("interface I { void a() = b; }", "a method's number"),
            ("interface I { List<String a(); }", "',' must be here"),
            ("parcelable P { int a; int a; }", "a is there twice"),
            ("parcelable P { parcelable Q { int x; ", "a type must be here"),
            ("parcelable P { enum E { A, A } }", "A is there twice"),
            ("parcelable P { oneway int x; }", "';' must be here"),
            ("parcelable P", "';' must be here"),
            ("enum E { A B }", "',' must be here"),
            ("enum E { A = }", "a constant must be here"),
            ("union U { int a = ; }", "a constant must be here"),
            ("@Backing(type=) enum E { A }", "a constant must be here"),
        ]
        for text, why in rows:
            with self.subTest(text):
                with self.assertRaises(avf.rpc.AidlError) as caught:
                    parse(text, "bad.aidl")
                self.assertIn(why, str(caught.exception))
                self.assertIn("bad.aidl", str(caught.exception))

    def test_nested(self):
        [outer] = parse("""package a; parcelable Outer {
            @nullable Inner inner;
            @FixedSize parcelable Inner { int x; enum Kind { A, B } }
            union Either { int i; String s; }
            const int N = 2;
            interface ICall { void call(in Inner i); } }""").declarations
        self.assertEqual([each.name for each in outer.nested],
                         ["a.Outer.Inner", "a.Outer.Either",
                          "a.Outer.ICall"])
        self.assertEqual(outer.nested[0].nested[0].name,
                         "a.Outer.Inner.Kind")
        self.assertEqual([each.name for each in outer.fields], ["inner"])

    def test_foreign(self):
        [bare, header] = parse('parcelable A; parcelable B cpp_header "b.h";'
                               ).declarations
        self.assertTrue(bare.is_foreign and header.is_foreign)

    def test_numbers(self):
        rows = [("0x7f", 127), ("0xffffffff", -1), ("0xffffffffL", 2**32 - 1),
                ("0xffffffffffffffff", -1), ("255u8", -1), ("10L", 10),
                ("1.5e3f", 1500.0), (".5", 0.5), ("-7", -7), ("~0", -1),
                ("!true", False), ("- -3", 3), ("'x'", "x"),
                ('"a\\n"', "a\n")]
        for text, value in rows:
            with self.subTest(text):
                [made] = parse(f"interface I {{ const int A = {text}; }}"
                               ).declarations
                self.assertEqual(made.constants["A"], value)

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
        rows = [
            ("union U {}", "union U has no field"),
            ("interface I { P.Q f(); } parcelable P { int x; }",
             "nothing declares P.Q"),
            ("parcelable P; interface I { void f(in P p); }",
             "no AIDL tells what P has in it"),
            ("interface I { const int A = B; }", "no B in I"),
            ("interface I { const int A = B; const int B = A; }",
             "needs itself"),
            ("interface I { const int A = 1 / 0; }", "I.A: a division by 0"),
            ("interface I { const int A = 1 << 99; }", "a shift by 99 bits"),
            ('interface I { const int A = 1 + "x"; }', "I.A: "),
            ("interface I { int[0] f(); }", "an array of 0 elements"),
            ("interface I { int[1000000000] f(); }", "an array of"),
            ('interface I { int["x"] f(); }', "an array of 'x' elements"),
            ("parcelable P { int x; } interface I { P<int> f(); }",
             "P of other types"),
            ('@Backing(type="float") enum E { A }', "not float"),
            ("enum E { A = 128 }", "E.A: 128 is no byte"),
            ('enum E { A = "x" }', "E.A: 'x' is no byte"),
            ("parcelable P { byte[] b = 5; }", "P.b: "),
        ]
        for text, why in rows:
            with self.subTest(text):
                with self.assertRaises(avf.rpc.AidlError) as caught:
                    self.load(text)
                self.assertIn(why, str(caught.exception))
                self.assertIn("0.aidl", str(caught.exception))

    def test_expressions(self):
        rows = [("1 + 2 * 3", 7), ("(1 + 2) * 3", 9), ("7 / -2", -3),
                ("-7 % 3", -1), ("1 << 4 | 1", 17), ("6 & 3 ^ 1", 3),
                ("1 < 2 && 2 <= 2", True), ("1 == 2 || 3 != 4", True),
                ("16 >> 2", 4), ("5-2", 3), ("TWO * Other.THREE", 6),
                ('"a" + "b"', "ab")]
        for text, value in rows:
            with self.subTest(text):
                aidl = self.load(f"interface I {{ const int A = {text};"
                                 " const int TWO = 2; }",
                                 "parcelable Other { const int THREE = 3; }")
                self.assertEqual(aidl.I.A, value)

    def test_nested(self):
        aidl = self.load("""package a; parcelable Outer {
            Inner inner; Inner.Kind kind = Inner.Kind.B; int[N] fixed;
            parcelable Inner { int x = N; enum Kind { A, B = N } }
            const int N = 3; }""", """package b; import a.Outer;
            parcelable User { Outer.Inner.Kind kind = Outer.Inner.Kind.A;
                              int n = Outer.N; }""")
        self.assertEqual(aidl.Outer().inner, aidl.Outer.Inner(x=3))
        self.assertEqual(aidl.Outer().kind, aidl.Outer.Inner.Kind.B)
        self.assertEqual(aidl.Outer().fixed, [0, 0, 0])
        self.assertEqual(repr(aidl.User()), "User(kind=<Kind.A: 0>, n=3)")
        with self.assertRaises(AttributeError):
            aidl.Inner

    def test_unions(self):
        aidl = self.load("union U { int a = 5; String b; @nullable U[] c; }"
                         " parcelable P { U u; }")
        self.assertEqual(repr(aidl.U()), "U(a=5)")
        self.assertEqual(aidl.P().u.a, 5)
        made = aidl.U(b="text")
        self.assertEqual((made._tag, made.b), ("b", "text"))
        made.a = 7
        self.assertEqual(made, aidl.U(a=7))
        self.assertNotEqual(made, aidl.U(b="7"))
        with self.assertRaisesRegex(AttributeError, "holds a, not b"):
            made.b
        with self.assertRaisesRegex(AttributeError, "no field d"):
            made.d = 1
        with self.assertRaisesRegex(TypeError, "one field, not a, b"):
            aidl.U(a=1, b="x")

    def test_defaults(self):
        aidl = self.load("""parcelable P { C c = C.B; int[] i = {1, 2};
                                           String s; boolean b = true; }
                            enum C { A, B }""")
        self.assertEqual(repr(aidl.P()),
                         "P(c=<C.B: 1>, i=[1, 2], s='', b=True)")
        aidl.P().i.append(3)
        self.assertEqual(aidl.P().i, [1, 2])

    def test_types_that_know_each_other(self):
        self.load("interface A { B b(); }", "interface B { A a(); }")
        aidl = self.load("parcelable Tree { @nullable Tree[] children;"
                         " @nullable Tree next; @nullable String name; }")
        self.assertEqual(repr(aidl.Tree()),
                         "Tree(children=None, next=None, name=None)")


if __name__ == "__main__":
    support.main()
