"""MicrodroidTests of named VMs whose guest need not run."""
import pathlib


import avf
import harness
from avf import EventType, Status
from harness import avf_test, config, fails


@avf_test
def vmUnitTests(manager):
    vm = manager.create("vm_name", config())
    assert vm.name == "vm_name"
    assert vm.get_config().payload_name == harness.TEST_LIB
    assert vm.status == Status.STOPPED
    vm.set_config(config(memory_mib=42,
                         cpu_topology=avf.CpuTopology.MATCH_HOST))
    assert vm.name == "vm_name"
    assert vm.get_config().memory_mib == 42
    assert vm.get_config().cpu_topology == avf.CpuTopology.MATCH_HOST
    assert vm.status == Status.STOPPED
    assert manager.get("vm_name") is vm


@avf_test
def vmmGetAndCreate(manager):
    assert manager.get("vmName") is None
    vm = manager.create("vmName", config())
    assert manager.get("vmName") is vm
    assert manager.get_or_create("vmName", config()) is vm
    fails("AVF_ERR_EXISTS", "virtual machine already exists",
          manager.create, "vmName", config())
    manager.delete("vmName")
    assert vm.status == Status.DELETED
    assert manager.get("vmName") is None
    new = manager.get_or_create("vmName", config())
    assert new is not vm
    assert new.status == Status.STOPPED
    assert vm.status == Status.DELETED


@avf_test
def differentManagersForDifferentContexts(manager):
    with harness.new_manager() as other:
        assert other is not manager
        manager.create("mine", config())
        assert other.get("mine") is None


@avf_test
def deleteVm(manager):
    vm = manager.create("test_vm_delete", config())
    manager.delete("test_vm_delete")
    fails("AVF_ERR_STATE", "deleted", vm.run)
    fails("AVF_ERR_NOT_FOUND", "", manager.delete, "test_vm_delete")


@avf_test
def deleteVmFiles(manager):
    vm = manager.create("test_vm_delete",
                        config("MicrodroidExitNativeLib.so"))
    assert harness.has(harness.run_to_end(vm), EventType.PAYLOAD_FINISHED)
    assert vm.status == Status.STOPPED
    root = pathlib.Path(vm.root_dir)
    for file in root.iterdir():
        file.unlink()
    root.rmdir()
    assert vm.status == Status.DELETED
    fails("AVF_ERR_STATE", "deleted", vm.run)
    assert manager.get("test_vm_delete") is None


@avf_test
def invalidVmNameIsRejected(manager):
    for name in ("../foo", "..", ".", "a/b", ""):
        fails("AVF_ERR_INVALID", "Invalid VM name", manager.create, name,
              config())
        fails("AVF_ERR_INVALID", "Invalid VM name", manager.get, name)


@avf_test
def bootFailsWhenApkPathIsInvalid(manager):
    package = manager.directory / "x.avfpkg"
    package.write_bytes(harness.PACKAGE.read_bytes())
    vm = manager.create("test_vm", config(package=package))
    package.unlink()
    fails("AVF_ERR_NOT_FOUND", "Failed to open APK", vm.run)


@avf_test
def autoCloseVmDescriptor(manager):
    vm = manager.create("test_vm", config())
    with vm.to_descriptor() as descriptor:
        pass
    fails("AVF_ERR_STATE", "closed", descriptor.send, None)
    fails("AVF_ERR_STATE", "closed", manager.import_from_descriptor,
          "other", descriptor)


@avf_test
def vmDescriptorClosedOnImport(manager):
    vm = manager.create("test_vm", config())
    descriptor = vm.to_descriptor()
    manager.import_from_descriptor("imported", descriptor)
    fails("AVF_ERR_STATE", "closed", manager.import_from_descriptor,
          "again", descriptor)


@avf_test
def importVmDescriptorForExistingVm(manager):
    vm = manager.create("test_vm", config())
    descriptor = vm.to_descriptor()
    fails("AVF_ERR_EXISTS", "virtual machine already exists",
          manager.import_from_descriptor, "test_vm", descriptor)
    # it is closed, whatever happened
    fails("AVF_ERR_STATE", "closed", manager.import_from_descriptor,
          "other", descriptor)
    assert manager.get("test_vm") is vm


@avf_test
def sameInstancesShareTheSameVmObject(manager):
    vm = manager.create("test_vm", config())
    assert manager.get("test_vm") is vm
    assert manager.get("test_vm") is vm
    manager.delete("test_vm")
    new = manager.create("test_vm", config())
    assert new is not vm
    assert manager.get("test_vm") is new


def same_files(one, other, names=("instance_id", "instance.img")):
    """The files of two VMs are equal, and so are their configurations."""
    for name in names:
        assert (pathlib.Path(one.root_dir, name).read_bytes()
                == pathlib.Path(other.root_dir, name).read_bytes())
    a, b = (pathlib.Path(vm.root_dir, "config").read_text()
            for vm in (one, other))
    assert a == b


@avf_test
def importedVmIsEqualToTheOriginalVm_WithoutStorage(manager):
    vm = manager.create("original", config())
    copy = manager.import_from_descriptor("copy", vm.to_descriptor())
    assert copy is not vm
    assert copy.name == "copy"
    same_files(vm, copy)


@avf_test
def outputShouldBeExplicitlyCaptured(manager):
    vm = manager.create("test_vm", config())
    for getter in (vm.console_output, vm.log_output):
        fails("AVF_ERR_STATE", "Capturing vm outputs is turned off", getter)


@avf_test
def inputShouldBeExplicitlyAllowed(manager):
    vm = manager.create("test_vm", config(vm_output_captured=True))
    fails("AVF_ERR_STATE", "VM console input is not supported",
          vm.console_input)
