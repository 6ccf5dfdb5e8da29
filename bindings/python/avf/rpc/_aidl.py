"""Reads AIDL files: interfaces, parcelables, enums and unions."""
import re
from dataclasses import dataclass, field


class AidlError(Exception):
    """A file is not AIDL, or means something that is not there."""


class Name(str):
    """A constant or an enumerator, as a default value."""


@dataclass
class Type:
    name: str                   #: "int", "List", "com.example.Point"
    args: list = field(default_factory=list)    #: of List
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
    name: str                   #: with its package
    constants: dict = field(default_factory=dict)
    methods: list = field(default_factory=list)
    fields: list = field(default_factory=list)
    backing: str = "byte"       #: of an enum


@dataclass
class File:
    path: str
    package: str
    imports: list
    declarations: list


_TOKEN = re.compile(r"""
      (?P<skip>\s+|//[^\n]*|/\*.*?\*/)
    | (?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
    | (?P<number>-?(?:0[xX][0-9a-fA-F]+|\d+\.?\d*(?:[eE][-+]?\d+)?)[fFlL]?
        (?:u8|u16|u32)?)
    | (?P<word>[A-Za-z_][\w.]*)
    | (?P<mark>[{}()<>\[\],;=@|+*-])
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
    yield "end", "", text.count("\n") + 1


def _number(text):
    text = text.rstrip("lLfF") if not text.lower().startswith("0x") \
        else text.rstrip("lL")
    return (int(text, 0) if re.fullmatch(r"-?(0[xX][\da-fA-F]+|\d+)", text)
            else float(text))


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

    def literal(self):
        kind, token, _ = self.tokens[self.at]
        if kind == "text":
            self.at += 1
            text = token[1:-1].encode().decode("unicode_escape")
            return text
        if kind == "number":
            self.at += 1
            return _number(token)
        if token in ("true", "false"):
            self.at += 1
            return token == "true"
        if self.maybe("{"):
            values = []
            while not self.maybe("}"):
                values.append(self.literal())
                self.maybe(",")
            return values
        return Name(self.word("a constant"))

    def annotations(self):
        """{name: {key: value}}"""
        found = {}
        while self.maybe("@"):
            params = found.setdefault(self.word("an annotation"), {})
            if self.maybe("("):
                while not self.maybe(")"):
                    key = self.word("a parameter")
                    self.expect("=")
                    params[key] = self.literal()
                    self.maybe(",")
        return found

    def type(self, notes=None):
        notes = {**(notes or {}), **self.annotations()}
        made = Type(self.word("a type"), nullable="nullable" in notes)
        if self.maybe("<"):
            while not self.maybe(">"):
                made.args.append(self.type())
                self.maybe(",")
        while self.maybe("["):
            made.dims.append(None if self.peek() == "]"
                             else self.literal())
            self.expect("]")
        return made

    def constant(self, declaration):
        self.type()
        name = self.word("a name")
        self.expect("=")
        declaration.constants[name] = self.literal()
        self.expect(";")

    def argument(self, methods):
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
        self.expect("(")
        while not self.maybe(")"):
            made.args.append(self.argument(made))
            self.maybe(",")
        if self.maybe("="):
            made.code = self.literal() + 1
        self.expect(";")
        if oneway and (kind.name != "void" or
                       any(a.direction != "in" for a in made.args)):
            raise AidlError(f"{self.path}: the oneway method {made.name} "
                            "returns something")
        declaration.methods.append(made)

    def members(self, declaration, oneway=False):
        self.expect("{")
        while not self.maybe("}"):
            if self.maybe("const"):
                self.constant(declaration)
            elif declaration.kind == "interface":
                self.method(declaration, oneway)
            else:
                kind = self.type()
                made = Field(kind, self.word("a field's name"))
                if self.maybe("="):
                    made.default = self.literal()
                self.expect(";")
                declaration.fields.append(made)

    def enumerators(self, declaration):
        following = 0
        self.expect("{")
        while not self.maybe("}"):
            name = self.word("an enumerator")
            if self.maybe("="):
                following = self.literal()
            declaration.constants[name] = following
            following += 1
            self.maybe(",")

    def declaration(self, package):
        notes = self.annotations()
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
            made.declarations.append(self.declaration(made.package))
        if not made.declarations:
            self.fail("something must be declared")
        return made


def parse(text, path="<aidl>"):
    """A File. AidlError names the line that is no AIDL."""
    return _Parser(text, path).file()
