"""Rows with named fields: collections.namedtuple takes longer to import than
everything else in this package."""


class Row:
    """Fields by name, by number, and to unpack. What they hold when they are
    read may be made then, so that who does not look at an enumeration does
    not import it."""

    __slots__ = ("_row",)
    _fields: tuple = ()

    def __init__(self, *row):
        if len(row) != len(self._fields):
            raise TypeError(f"{type(self).__name__} has {self._fields}")
        self._row = row

    def __init_subclass__(cls):
        cls.__match_args__ = cls._fields
        for i, field in enumerate(cls._fields):
            if field not in vars(cls):
                setattr(cls, field, property(lambda row, i=i: row._row[i]))

    def __iter__(self):
        return iter([getattr(self, field) for field in self._fields])

    def __len__(self):
        return len(self._fields)

    def __getitem__(self, index):
        return tuple(self)[index]

    def __eq__(self, other):
        if not isinstance(other, (Row, tuple)):
            return NotImplemented
        return tuple(self) == tuple(other)

    def __hash__(self):
        return hash(self._row)

    def __repr__(self):
        fields = ", ".join(f"{name}={value!r}" for name, value
                           in zip(self._fields, self))
        return f"{type(self).__name__}({fields})"
