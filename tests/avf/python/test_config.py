"""MicrodroidTests of configurations. No VM runs."""
import os

import avf
import harness
from avf import CpuTopology, DebugLevel
from harness import PACKAGE, TEST_LIB, avf_test, config, fails


@avf_test
def vmConfigGetAndSetTests():
    least = avf.Config(package=PACKAGE, payload_name="binary.so")
    assert least.package == str(PACKAGE)
    assert least.payload_name == "binary.so"
    assert least.debug_level == DebugLevel.NONE
    assert least.protected is False
    assert least.memory_mib == 256
    assert least.cpu_topology == CpuTopology.ONE_CPU
    assert least.encrypted_storage_bytes == 0
    assert least.vm_output_captured is False
    assert least.vm_console_input_supported is False
    assert least.hugepages is False
    most = avf.Config(package=PACKAGE, payload_name="binary.so",
                      debug_level=DebugLevel.FULL, memory_mib=42,
                      cpu_topology=CpuTopology.MATCH_HOST,
                      encrypted_storage_bytes=1_000_000,
                      vm_output_captured=True,
                      vm_console_input_supported=True, hugepages=True)
    assert most.debug_level == DebugLevel.FULL
    assert most.memory_mib == 42
    assert most.cpu_topology == CpuTopology.MATCH_HOST
    assert most.encrypted_storage_bytes == 1_000_000
    assert most.vm_output_captured is True
    assert most.vm_console_input_supported is True
    assert most.hugepages is True
    assert least.is_compatible_with(least)
    assert not least.is_compatible_with(most)


def problems(**fields):
    """What is wrong with such a configuration, as one text."""
    rows = {"package": PACKAGE, "payload_name": "binary.so"} | fields
    rows = {name: value for name, value in rows.items() if value is not None}
    kind = avf.ConfigKind.PAYLOAD
    return "\n".join(each.text for each in avf.Config(kind,
                                                      **rows).validate())


@avf_test
def vmConfigBuilderValidationTests():
    for field, value in [("payload_name", "dir/file.so"),
                         ("payload_name", None), ("debug_level", -1),
                         ("debug_level", 2), ("cpu_topology", -1),
                         ("cpu_topology", 2), ("package", "")]:
        fails("AVF_ERR_INVALID", field, avf.Config,
              avf.ConfigKind.PAYLOAD, **{field: value})
    assert "package" in problems(package=None)
    assert "library" in problems(payload_name=None)
    assert "FULL" in problems(vm_output_captured=True)
    assert "FULL" in problems(vm_console_input_supported=True)
    assert "Protected VMs are not supported" in problems(protected=True)
    assert problems() == ""


@avf_test
def compatibleConfigTests():
    base = {"encrypted_storage_bytes": 1_000_000}

    def compatible(payload=TEST_LIB, **fields):
        return (config(**base).is_compatible_with(
            config(payload, **(base | fields))))

    assert compatible()
    assert compatible(memory_mib=1024)
    assert compatible(cpu_topology=CpuTopology.MATCH_HOST)
    # another path of the same package
    link = harness.PACKAGES / "link.avfpkg"
    link.unlink(missing_ok=True)
    link.symlink_to(PACKAGE)
    assert compatible(package=link)
    link.unlink()
    assert not compatible(debug_level=DebugLevel.NONE)
    assert not compatible(payload="different")
    assert not compatible(protected=True)
    assert not compatible(encrypted_storage_bytes=1000)
    assert not compatible(vm_output_captured=True)
    assert not compatible(vm_console_input_supported=True)
    assert not compatible(guest_image="/other")


@avf_test
def testPathToBinaryIsRejected():
    fails("AVF_ERR_INVALID",
          "Payload binary name must not specify a path",
          config, "./" + TEST_LIB)


@avf_test
def supportForProtectedOrNonProtectedVms():
    found = avf.capabilities()
    assert found & ~(avf.Capability.PROTECTED_VM
                     | avf.Capability.NON_PROTECTED_VM) == 0
    # AVF's feature is here that this host's KVM runs a Linux guest
    runs = avf.probe()["linux_guest.kvm"].state == avf.ProbeState.YES
    assert bool(found) == runs


@avf_test
def kernelVersionRequirement():
    numbers = os.uname().release.split(".")
    assert (int(numbers[0]), int(numbers[1])) >= (5, 15)
