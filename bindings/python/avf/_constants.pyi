"""Checked against the C headers by tests/python."""
from enum import IntEnum, IntFlag
from typing import TypeVar

MIN_VSOCK_PORT: int
MAX_VSOCK_PORT: int

_E = TypeVar("_E", bound=IntEnum)


class ConfigKind(IntEnum):
    RAW = 0
    PAYLOAD = 1


class DebugLevel(IntEnum):
    NONE = 0
    FULL = 1


class CpuTopology(IntEnum):
    ONE_CPU = 0
    MATCH_HOST = 1


class Acceleration(IntEnum):
    KVM = 0
    KVM_OR_EMULATION = 1
    EMULATION = 2


class Jail(IntEnum):
    DEFAULT = 0
    STRICT = 1


class Status(IntEnum):
    STOPPED = 0
    RUNNING = 1
    DELETED = 2


class EventType(IntEnum):
    STARTED = 0
    PAYLOAD_STARTED = 1
    PAYLOAD_READY = 2
    PAYLOAD_FINISHED = 3
    ERROR = 4
    STOPPED = 5
    LOG = 6


class StopReason(IntEnum):
    VIRTUALIZATION_SERVICE_DIED = -1
    INFRASTRUCTURE_ERROR = 0
    KILLED = 1
    UNKNOWN = 2
    SHUTDOWN = 3
    START_FAILED = 4
    REBOOT = 5
    CRASH = 6
    PVM_FIRMWARE_PUBLIC_KEY_MISMATCH = 7
    PVM_FIRMWARE_INSTANCE_IMAGE_CHANGED = 8
    BOOTLOADER_PUBLIC_KEY_MISMATCH = 9
    BOOTLOADER_INSTANCE_IMAGE_CHANGED = 10
    MICRODROID_FAILED_TO_CONNECT_TO_VIRTUALIZATION_SERVICE = 11
    MICRODROID_PAYLOAD_HAS_CHANGED = 12
    MICRODROID_PAYLOAD_VERIFICATION_FAILED = 13
    MICRODROID_INVALID_PAYLOAD_CONFIG = 14
    MICRODROID_UNKNOWN_RUNTIME_ERROR = 15
    HANGUP = 16


class ErrorCode(IntEnum):
    UNKNOWN = 0
    PAYLOAD_VERIFICATION_FAILED = 1
    PAYLOAD_CHANGED = 2
    PAYLOAD_INVALID_CONFIG = 3


class ProbeState(IntEnum):
    YES = 0
    LIMITED = 1
    NO = 2
    UNKNOWN = 3


class Capability(IntFlag):
    PROTECTED_VM = 1
    NON_PROTECTED_VM = 2


def named(kind: type[_E], number: int) -> _E | int: ...
