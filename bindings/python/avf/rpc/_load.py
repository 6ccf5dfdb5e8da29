"""Makes Python classes of what AIDL files declare."""
import enum

from ._aidl import AidlError, Method, Type
from ._expressions import evaluate
from ._interfaces import (BoundMethod, Interface, InterfaceValue,
                          MetaMethod)
from ._java import ANYTHING, CharSequence, Map, RawFile
from ._objects import define_class
from ._structures import (Holder, Parcelable, Structure, Union, UnionValue)
from ._values import (NULLABLE, PLAIN, Array, Bytes, Enum, List, Maybe,
                      NotNull, SmallEnums)

# a file says how long arrays are, and memory is not for free
_MOST_ELEMENTS = 1000000


class Aidl:
    """The interfaces, parcelables, unions and enums of some files, as
    attributes by their last names, or by their whole ones as [name]. What is
    declared inside of one is an attribute of that."""

    def __init__(self, files, version=None, hash=None):
        # those of every interface, and what they answer
        self._meta = [
            (Method(name, Type(kind), [], False, code), value)
            for name, kind, code, value in (
                ("getInterfaceVersion", "int", 0xffffff, version),
                ("getInterfaceHash", "String", 0xfffffe, hash))
            if value is not None]
        self._all = {}          #: name: (declaration, file)
        self._outer = []        #: names of those that are inside of none
        self._made = {}         #: name: class
        self._kinds = {}        #: name: how it is in a parcel
        self._constants = {}    #: (name, constant): value
        for file in files:
            for each in file.declarations:
                self._outer.append(each.name)
                self._declare(each, file)
        for name in self._all:
            self[name]
        for name, (declaration, _) in self._all.items():
            for each in declaration.nested:
                setattr(self[name], each.name.rpartition(".")[2],
                        self[each.name])

    def _declare(self, declaration, file):
        self._all[declaration.name] = (declaration, file)
        for each in declaration.nested:
            self._declare(each, file)

    def __getitem__(self, name):
        if name not in self._made:
            if name not in self._all:
                raise KeyError(name)
            self._make(*self._all[name])
        return self._made[name]

    def __getattr__(self, name):
        if not name.startswith("_"):
            for whole in self._outer:
                if whole.rpartition(".")[2] == name:
                    return self[whole]
        raise AttributeError(f"no {name} in {', '.join(self._outer)}")

    def _make(self, declaration, file):
        {"interface": self._make_interface, "enum": self._make_enum,
         "parcelable": self._make_parcelable, "union": self._make_union,
         }[declaration.kind](declaration, _Scope(self, declaration, file))

    def _class(self, base, scope, members):
        declaration = scope.declaration
        constants = {name: scope.constant(name)
                     for name in declaration.constants}
        made = type(declaration.name.rpartition(".")[2], (base,), {
            **constants, **members, "_descriptor": declaration.name,
            "__module__": declaration.name.rpartition(".")[0]})
        self._made[declaration.name] = made
        return made

    def _make_interface(self, declaration, scope):
        # known before its methods, which may have arguments of its type
        made = self._class(Interface, scope, {
            "_class": define_class(declaration.name)})
        self._kinds[declaration.name] = InterfaceValue(made)
        methods = [BoundMethod(each, scope) for each in declaration.methods]
        methods += [MetaMethod(each, scope, value)
                    for each, value in self._meta]
        made._methods = {each.code: each for each in methods}
        for each in methods:
            setattr(made, each.name, each.as_function())

    def _set_fields(self, made, declaration, scope):
        made._fields = {}
        for each in declaration.fields:
            kind = scope.value(each.type)
            made._fields[each.name] = kind, scope.default(each, kind)

    def _make_parcelable(self, declaration, scope):
        made = self._class(Structure, scope, {})
        if declaration.is_foreign:
            return
        self._kinds[declaration.name] = Parcelable(made)
        self._set_fields(made, declaration, scope)

    def _make_union(self, declaration, scope):
        if not declaration.fields:
            scope.fail(f"the union {declaration.name} has no field")
        made = self._class(Union, scope, {"__slots__": ()})
        self._kinds[declaration.name] = UnionValue(made)
        self._set_fields(made, declaration, scope)

    def _make_enum(self, declaration, scope):
        if declaration.backing not in ("byte", "int", "long"):
            scope.fail(f"{declaration.name}: an enum's type is byte, int or "
                       f"long, not {declaration.backing}")
        backing = PLAIN[declaration.backing]
        values = {name: scope.constant(name)
                  for name in declaration.constants}
        for name, value in values.items():
            if not isinstance(value, int) or \
                    not backing.least <= value < backing.end:
                scope.fail(f"{declaration.name}.{name}: {value!r} is no "
                           f"{declaration.backing}")
        made = enum.IntEnum(declaration.name.rpartition(".")[2], values)
        self._made[declaration.name] = made
        self._kinds[declaration.name] = Enum(made, backing)

    def _find_holdable(self, name):
        """The kind of what a ParcelableHolder may hold."""
        kind = self._kinds.get(name)
        return kind if isinstance(kind, (Parcelable, UnionValue)) else None


class _Scope:
    """Names as they are seen inside of one declaration."""

    def __init__(self, aidl, declaration, file):
        self.aidl = aidl
        self.declaration = declaration
        self.file = file

    def fail(self, why):
        raise AidlError(f"{self.file.path}: {why}")

    def _candidates(self, name):
        around = self.declaration.name
        while around:
            yield f"{around}.{name}"
            around = around.rpartition(".")[0]
        yield name
        first, dot, rest = name.partition(".")
        for whole in self.file.imports:
            if whole.rpartition(".")[2] == first:
                yield whole + dot + rest

    def _whole(self, name):
        """The declared name behind name."""
        for each in self._candidates(name):
            if each in self.aidl._all:
                return each
        self.fail(f"nothing declares {name}; load the file that does, too")

    # ---- constants ----

    def constant(self, name):
        """LIMIT of this declaration or one around it; Colour.RED."""
        where, _, last = name.rpartition(".")
        if where:
            owner, file = self.aidl._all[self._whole(where)]
            return _Scope(self.aidl, owner, file)._own(last, name)
        around = self.declaration.name
        while around in self.aidl._all:
            owner, file = self.aidl._all[around]
            if name in owner.constants:
                return _Scope(self.aidl, owner, file)._own(name, name)
            around = around.rpartition(".")[0]
        self.fail(f"no {name} in {self.declaration.name}")

    def _own(self, name, said):
        key = self.declaration.name, name
        known = self.aidl._constants
        if name not in self.declaration.constants:
            self.fail(f"no {said}")
        if key not in known:
            known[key] = None
            known[key] = self.evaluate(self.declaration.constants[name],
                                       name)
        if known[key] is None:
            self.fail(f"{'.'.join(key)} needs itself")
        return known[key]

    def evaluate(self, expression, what):
        try:
            return evaluate(expression, self.constant)
        except (TypeError, ValueError) as error:
            self.fail(f"{self.declaration.name}.{what}: {error}")

    def default(self, field, kind):
        """None: that of the type."""
        if field.default is None:
            return None
        try:
            return _as_value(kind, self.evaluate(field.default, field.name))
        except (TypeError, ValueError) as error:
            self.fail(f"{self.declaration.name}.{field.name}: {error}")

    # ---- types ----

    def _declared(self, kind):
        whole = self._whole(kind.name)
        if kind.args:
            self.fail(f"{kind.name} of other types")
        self.aidl[whole]
        if whole not in self.aidl._kinds:
            self.fail(f"no AIDL tells what {whole} has in it")
        return self.aidl._kinds[whole]

    def _inner(self, kind, nullable):
        """Of what a list or a map has."""
        made = self.value(kind)
        return getattr(made, "inner", made) if nullable else made

    def _element(self, kind):
        """Without its []."""
        if kind.name == "List":
            return List(self._inner(kind.args[0], kind.nullable)
                        if kind.args else ANYTHING)
        if kind.name == "Map":
            return Map(*(self._inner(each, False) for each in kind.args)
                       if len(kind.args) == 2 else (ANYTHING, ANYTHING))
        if kind.name == "ParcelableHolder":
            return Holder(self.aidl._find_holdable)
        made = _JAVA.get(kind.name) or PLAIN.get(kind.name)
        return made or self._declared(kind)

    def _length(self, said):
        n = None if said is None else self.evaluate(said, "an array")
        if n is not None and (not isinstance(n, int) or
                              not 0 < n <= _MOST_ELEMENTS):
            self.fail(f"{self.declaration.name}: an array of {n!r} elements")
        return n

    def value(self, kind):
        """How values of a Type are written and read."""
        made = self._element(kind)
        lengths = [self._length(each) for each in kind.dims]
        # int[2][3] is two arrays of three
        for at, length in enumerate(reversed(lengths)):
            if at == 0 and made is PLAIN["byte"]:
                made = Bytes(length)
            elif at == 0 and getattr(made, "backing", 0) is PLAIN["byte"]:
                made = SmallEnums(made, length)
            elif at == 0 and kind.nullable:
                made = Array(made, length)
            else:
                made = Array(_not_null(made), length)
        if kind.nullable:
            return Maybe(made)
        return made if isinstance(made, InterfaceValue) else _not_null(made)


_JAVA = {"CharSequence": CharSequence(), "FileDescriptor": RawFile()}


def _not_null(kind):
    return NotNull(kind) if isinstance(kind, (
        *NULLABLE, Parcelable, UnionValue, InterfaceValue, Map,
        CharSequence)) else kind


def _as_value(kind, value):
    """A constant as what is read of a parcel."""
    kind = getattr(kind, "inner", kind)
    if isinstance(kind, SmallEnums):
        return [kind.enum.named(each) for each in value]
    if isinstance(kind, Bytes):
        return bytes(each & 0xff for each in value)
    if isinstance(kind, Array):
        return [_as_value(kind.element, each) for each in value]
    return kind.named(value) if isinstance(kind, Enum) else value
