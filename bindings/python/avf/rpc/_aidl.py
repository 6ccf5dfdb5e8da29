"""Reads AIDL files: interfaces, parcelables, enums and unions."""
import re
from dataclasses import dataclass, field

from ._expressions import LEVELS, UNARY, Binary, Name, unary


class AidlError(Exception):
    """A file is not AIDL, or means something that is not there."""


@dataclass
class Type:
    name: str                   #: "int", "List", "com.example.Point"
    args: list = field(default_factory=list)    #: of List, Map
    dims: list = field(default_factory=list)    #: None: []; n: [n]
    nullable: bool = False


@dataclass
class Field:
    type: Type
    name: str
    default: object = None


@dataclass
class Argument:
    direction: str              #: in, out, inout
    type: Type
    name: str


@dataclass
class Method:
    name: str
    type: Type                  #: of what it returns; "void"
    args: list
    oneway: bool
    code: int                   #: FIRST_CALL_TRANSACTION is 1


@dataclass
class Declaration:
    kind: str                   #: interface, parcelable, enum, union
    name: str                   #: with its package, and what it is inside of
    constants: dict = field(default_factory=dict)
    methods: list = field(default_factory=list)
    fields: list = field(default_factory=list)
    nested: list = field(default_factory=list)  #: declarations
    backing: str = "byte"       #: of an enum
    is_foreign: bool = False    #: a parcelable whose fields no AIDL tells


@dataclass
class File:
    path: str
    package: str
    imports: list
    declarations: list


_TOKEN = re.compile(r"""
      (?P<skip>\s+|//[^\n]*|/\*.*?\*/)
    | (?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
    | (?P<number>(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)
        (?:[fFlL]|u8|u32|u64)?)
    | (?P<word>[A-Za-z_][\w.]*)
    | (?P<mark>/(?!\*)|[{}()<>\[\],;=@|+*%&^!~-])
    """, re.X | re.S)


def _tokens(text, path):
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if not match:
            line = text.count("\n", 0, at) + 1
            raise AidlError(f"{path}:{line}: {text[at:at + 20]!r} is not "
                            "AIDL")
        if match.lastgroup != "skip":
            yield match.lastgroup, match[0], text.count("\n", 0, at) + 1
        at = match.end()
    # two of them, for who looks ahead
    yield "end", "", text.count("\n") + 1
    yield "end", "", text.count("\n") + 1


def _number(text):
    """0xffffffff and 255u8 are bits: -1."""
    text, mark, bits = text.lower().partition("u")
    if text.startswith("0x"):
        value = int(text.rstrip("l"), 16)
        bits = int(bits or (64 if "l" in text or value >> 32 else 32))
        return value - (value >> (bits - 1) << bits)
    if re.fullmatch(r"\d+l?", text):
        value = int(text.rstrip("l"))
        return value - (value >> 7 << 8) if mark and bits == "8" else value
    return float(text.rstrip("f"))


class _Parser:
    def __init__(self, text, path):
        self.path = path
        self.tokens = list(_tokens(text, path))
        self.at = 0

    def fail(self, why):
        _, token, line = self.tokens[self.at]
        raise AidlError(f"{self.path}:{line}: {why}, not {token!r}")

    def peek(self):
        return self.tokens[self.at][1]

    def take(self):
        self.at += 1
        return self.tokens[self.at - 1][1]

    def maybe(self, token):
        if self.peek() != token:
            return False
        self.at += 1
        return True

    def expect(self, token):
        if not self.maybe(token):
            self.fail(f"{token!r} must be here")

    def word(self, what):
        if self.tokens[self.at][0] != "word":
            self.fail(f"{what} must be here")
        return self.take()

    def primary(self):
        """A literal, a name, or anything in parentheses."""
        kind, token, _ = self.tokens[self.at]
        if kind == "text":
            self.at += 1
            return token[1:-1].encode().decode("unicode_escape")
        if kind == "number":
            self.at += 1
            return _number(token)
        if token in ("true", "false"):
            self.at += 1
            return token == "true"
        if token in UNARY:
            return unary(self.take(), self.primary())
        if self.maybe("("):
            inside = self.expression()
            self.expect(")")
            return inside
        if self.maybe("{"):
            return self.several("}", self.expression)
        return Name(self.word("a constant"))

    def sign(self, level):
        """The operator of this level that is here, taken, or None."""
        here = self.peek()
        if self.tokens[self.at][0] != "mark":
            return None
        two = here + self.tokens[self.at + 1][1]
        for each in (two, here):
            if each in LEVELS[level]:
                self.at += len(each)
                return each
            if any(each in other for other in LEVELS):
                return None
        return None

    def expression(self, level=0):
        if level == len(LEVELS):
            return self.primary()
        made = self.expression(level + 1)
        while sign := self.sign(level):
            made = Binary(sign, made, self.expression(level + 1))
        return made

    def several(self, end, one):
        """What one() reads, up to the end, between commas."""
        found = []
        while not self.maybe(end):
            found.append(one())
            if self.peek() != end:
                self.expect(",")
        return found

    def annotations(self):
        """{name: {key: value}}"""
        found = {}
        while self.maybe("@"):
            params = found.setdefault(self.word("an annotation"), {})
            if self.maybe("("):
                params.update(self.several(")", self.parameter))
        return found

    def parameter(self):
        """Of an annotation: a value, or one with its name."""
        if self.tokens[self.at + 1][1] != "=":
            return "value", self.expression()
        key = self.word("a parameter")
        self.expect("=")
        return key, self.expression()

    def type(self, notes=None):
        notes = {**(notes or {}), **self.annotations()}
        made = Type(self.word("a type"), nullable="nullable" in notes)
        if self.maybe("<"):
            made.args = self.several(">", self.type)
        while self.maybe("["):
            made.dims.append(None if self.peek() == "]"
                             else self.expression())
            self.expect("]")
        return made

    def constant(self, declaration):
        self.type()
        name = self.word("a name")
        self.expect("=")
        self.once(name, declaration.constants)
        declaration.constants[name] = self.expression()
        self.expect(";")

    def once(self, name, names):
        if name in names:
            raise AidlError(f"{self.path}:{self.tokens[self.at - 1][2]}: "
                            f"{name} is there twice")

    def argument(self):
        notes = self.annotations()
        direction = "in"
        if self.peek() in ("in", "out", "inout"):
            direction = self.take()
        kind = self.type(notes)
        return Argument(direction, kind, self.word("an argument's name"))

    def method(self, declaration, oneway):
        notes = self.annotations()
        oneway = self.maybe("oneway") or oneway
        kind = self.type(notes)
        made = Method(self.word("a method's name"), kind, [], oneway,
                      len(declaration.methods) + 1)
        self.once(made.name, [each.name for each in declaration.methods])
        self.expect("(")
        made.args = self.several(")", self.argument)
        if self.maybe("="):
            if self.tokens[self.at][0] != "number":
                self.fail("a method's number must be here")
            made.code = int(self.primary()) + 1
        self.once(f"the number {made.code - 1}", [
            f"the number {each.code - 1}" for each in declaration.methods])
        self.expect(";")
        if oneway and (kind.name != "void" or
                       any(a.direction != "in" for a in made.args)):
            raise AidlError(f"{self.path}: the oneway method {made.name} "
                            "returns something")
        declaration.methods.append(made)

    def members(self, declaration, oneway=False):
        self.expect("{")
        while not self.maybe("}"):
            start = self.at
            notes = self.annotations()
            if self.is_declaration():
                declaration.nested.append(
                    self.declaration(declaration.name, notes))
                continue
            self.at = start
            if self.maybe("const"):
                self.constant(declaration)
            elif declaration.kind == "interface":
                self.method(declaration, oneway)
            else:
                self.field(declaration)

    def is_declaration(self):
        """Whether a nested type is here, and not a member."""
        after = self.tokens[self.at + 1]
        return (self.peek() in ("parcelable", "enum", "union", "interface")
                and after[0] == "word")

    def field(self, declaration):
        kind = self.type()
        made = Field(kind, self.word("a field's name"))
        self.once(made.name, [each.name for each in declaration.fields])
        if self.maybe("="):
            made.default = self.expression()
        self.expect(";")
        declaration.fields.append(made)

    def enumerators(self, declaration):
        last = None

        def one():
            nonlocal last
            self.annotations()
            name = self.word("an enumerator")
            self.once(name, declaration.constants)
            if self.maybe("="):
                last = self.expression()
            elif last is None:
                last = 0
            else:
                last = (last + 1 if isinstance(last, int)
                        else Binary("+", last, 1))
            declaration.constants[name] = last

        self.expect("{")
        self.several("}", one)

    def foreign(self, declaration):
        """parcelable Name cpp_header "file";"""
        declaration.is_foreign = True
        if self.peek() in ("cpp_header", "ndk_header", "rust_type"):
            self.take()
            self.primary()
        self.expect(";")

    def declaration(self, package, notes):
        oneway = self.maybe("oneway")
        kind = self.word("interface, parcelable, enum or union")
        if kind not in ("interface", "parcelable", "enum", "union"):
            self.at -= 1
            self.fail("interface, parcelable, enum or union must be here")
        name = self.word("a name")
        made = Declaration(kind, f"{package}.{name}" if package else name)
        if kind == "enum":
            made.backing = notes.get("Backing", {}).get("type", "byte")
            self.enumerators(made)
        elif kind == "parcelable" and self.peek() != "{":
            self.foreign(made)
        else:
            self.members(made, oneway)
        return made

    def file(self):
        made = File(self.path, "", [], [])
        if self.maybe("package"):
            made.package = self.word("a package")
            self.expect(";")
        while self.maybe("import"):
            made.imports.append(self.word("a name"))
            self.expect(";")
        while self.tokens[self.at][0] != "end":
            made.declarations.append(
                self.declaration(made.package, self.annotations()))
        if not made.declarations:
            self.fail("something must be declared")
        return made


def parse(text, path="<aidl>"):
    """A File. AidlError names the line that is no AIDL."""
    return _Parser(text, path).file()
