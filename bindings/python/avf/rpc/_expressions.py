"""Constant expressions of AIDL: what a constant, an enumerator, a default or
a length is. Literals are values of Python; the rest is one of the classes
below until evaluate() knows what names mean."""
import operator
from dataclasses import dataclass


class Name(str):
    """Another constant, or an enumerator: LIMIT, Colour.RED."""


@dataclass
class Unary:
    operator: str
    operand: object


@dataclass
class Binary:
    operator: str
    left: object
    right: object


def _divide(a, b):
    """As C does: towards zero."""
    quotient = abs(a) // abs(b)
    return quotient if (a < 0) == (b < 0) else -quotient


#: as C's: those of one line bind alike, and less than those below
LEVELS = [{"||": lambda a, b: bool(a or b)},
          {"&&": lambda a, b: bool(a and b)},
          {"|": operator.or_},
          {"^": operator.xor},
          {"&": operator.and_},
          {"==": operator.eq, "!=": operator.ne},
          {"<": operator.lt, ">": operator.gt, "<=": operator.le,
           ">=": operator.ge},
          {"<<": operator.lshift, ">>": operator.rshift},
          {"+": operator.add, "-": operator.sub},
          {"*": operator.mul, "/": _divide,
           "%": lambda a, b: a - b * _divide(a, b)}]
_BINARY = {sign: does for level in LEVELS for sign, does in level.items()}
UNARY = {"-": operator.neg, "+": operator.pos, "~": operator.invert,
         "!": operator.not_}
# a file may not say "1 << 1000000000"
_MOST_SHIFT = 63


def _binary(sign, a, b):
    if sign in ("<<", ">>") and not 0 <= b <= _MOST_SHIFT:
        raise ValueError(f"a shift by {b} bits")
    if sign in ("/", "%") and b == 0:
        raise ValueError("a division by 0")
    return _BINARY[sign](a, b)


def unary(sign, operand):
    """The value at once, where it is known."""
    if isinstance(operand, (int, float)):
        return UNARY[sign](operand)
    return Unary(sign, operand)


def evaluate(made, lookup):
    """Its value; lookup(name) is that of another constant. ValueError,
    TypeError: it has none."""
    if isinstance(made, Name):
        return lookup(made)
    if isinstance(made, Unary):
        return UNARY[made.operator](evaluate(made.operand, lookup))
    if isinstance(made, Binary):
        return _binary(made.operator, evaluate(made.left, lookup),
                       evaluate(made.right, lookup))
    if isinstance(made, list):
        return [evaluate(each, lookup) for each in made]
    return made
