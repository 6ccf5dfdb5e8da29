"""MicrodroidTests and MicrodroidHostTests of what is not there yet. Each
names the features that it needs; what their API will be called is AVF's name
in this package's form, and this file is changed where it is called another
way. Rows of tests/avf/features.txt switch them on."""
import pathlib

import pytest

import avf
import harness
from avf import EventType, Status, StopReason
from avf.rpc import AidlException, RpcError
from harness import (TEST_LIB, avf_test, config, fails, has, ready,
                     run_to_end)
from test_manager import same_files

CONFIG_PATH = "assets/vm_config.json"
STORAGE = 4_000_000
FILE = "/mnt/encryptedstore/test_file"


def with_config_file(**fields):
    return config(None, payload_config_path=CONFIG_PATH, **fields)


def starts(vm):
    """Runs it; whether its payload was started."""
    events = []
    vm.run()
    while event := vm.wait_event(harness.PATIENCE):
        events.append(event)
        if event.type == EventType.PAYLOAD_STARTED:
            vm.kill()
    assert events[-1].type == EventType.STOPPED
    return has(events, EventType.PAYLOAD_STARTED)


# --- identity -------------------------------------------------------------

def secret_of(vm):
    with ready(vm) as service:
        return service.insecurelyExposeVmInstanceSecret()


def cdi_of(vm):
    with ready(vm) as service:
        return (service.insecurelyExposeAttestationCdi(),
                service.insecurelyExposeVmInstanceSecret())


@avf_test(needs="identity config_path")
def instancesOfSameVmHaveDifferentCdis(manager):
    one, other = (cdi_of(manager.create(name, with_config_file()))
                  for name in ("one", "other"))
    assert all(one) and all(other)
    assert one[0] != other[0]
    assert one[1] != other[1]


@avf_test(needs="identity")
def sameInstanceKeepsSameCdis(manager):
    vm = manager.create("test_vm", config())
    first = secret_of(vm)
    assert len(first) == 32
    assert secret_of(vm) == first


@avf_test(needs="identity")
def importedVmAndOriginalVmHaveTheSameCdi(manager):
    vm = manager.create("original", config())
    first = secret_of(vm)
    copy = manager.import_from_descriptor("copy", vm.to_descriptor())
    assert secret_of(copy) == first


@avf_test(needs="identity config_path")
def bccIsSuperficiallyWellFormed(manager):
    with ready(manager.create("test_vm", with_config_file())) as service:
        chain = service.getBcc()
    # CBOR: an array of at least two items
    assert chain[0] >> 5 == 4
    assert chain[0] & 31 >= 2


@avf_test(needs="protected identity config_path")
def protectedVmHasValidDiceChain(manager):
    with ready(manager.create("test_vm", with_config_file(
            protected=True))) as service:
        assert avf.dice_chain_verify(service.getBcc())


@avf_test(needs="identity")
def accessToCdisIsRestricted(manager):
    with (ready(manager.create("test_vm", config())) as service,
          pytest.raises((AidlException, RpcError))):
        service.insecurelyExposeAttestationCdi()


def change_of_level(manager, first, then):
    """The same instance must not start with another debug level."""
    vm = manager.create("test_vm", config(debug=first, protected=True))
    assert starts(vm)
    assert starts(vm)
    other = manager.create("other", config(debug=then, protected=True))
    for name in ("instance.img", "instance_id"):
        pathlib.Path(other.root_dir, name).write_bytes(
            pathlib.Path(vm.root_dir, name).read_bytes())
    assert not starts(other)


@avf_test(needs="protected identity")
def changingNonDebuggableVmDebuggableInvalidatesVmIdentity(manager):
    change_of_level(manager, False, True)


@avf_test(needs="protected identity")
def changingDebuggableVmNonDebuggableInvalidatesVmIdentity(manager):
    change_of_level(manager, True, False)


MICRODROID = bytes.fromhex("cf9afe9a066211eca329c32663a09d75")
PVMFW = bytes.fromhex("90d2174a038a4bc6adf3824848fc5825")


def compromised(manager, partition, **fields):
    """One bit after the partition's UUID is another: it must not start."""
    vm = manager.create("test_vm", config(**fields))
    assert starts(vm)
    image = pathlib.Path(vm.root_dir, "instance.img")
    data = bytearray(image.read_bytes())
    data[data.index(partition) + 512] ^= 1
    image.write_bytes(data)
    events = run_to_end(vm)
    assert not has(events, EventType.PAYLOAD_STARTED)
    assert events[-1].code != StopReason.HANGUP


@avf_test(needs="identity")
def bootFailsWhenMicrodroidDataIsCompromised(manager):
    compromised(manager, MICRODROID)


@avf_test(needs="protected identity")
def bootFailsWhenPvmFwDataIsCompromised(manager):
    compromised(manager, PVMFW, protected=True)


# --- attestation ----------------------------------------------------------

def attest(service, size):
    return service.requestAttestation(bytes(size))


@avf_test(needs="protected attestation")
def vmAttestationWhenRemoteAttestationIsNotSupported(manager):
    if manager.is_remote_attestation_supported():
        pytest.skip("remote attestation is supported")
    with ready(manager.create("test_vm", config(protected=True))) as service:
        assert attest(service, 32) == "ATTESTATION_ERROR_UNSUPPORTED"


def attested(manager, **fields):
    vm = manager.create("test_vm", config(protected=True, **fields))
    vm.enable_test_attestation()
    with ready(vm) as service:
        assert attest(service, 65) == "ATTESTATION_ERROR_INVALID_CHALLENGE"
        assert attest(service, 32) == "ATTESTATION_OK"


@avf_test(needs="protected attestation")
def vmAttestationWhenRemoteAttestationIsSupported(manager):
    attested(manager)


@avf_test(needs="protected attestation vendor")
def vmAttestationWithVendorPartitionWhenSupported(manager):
    attested(manager, vendor_disk_image=vendor_image())


@avf_test(needs="protected attestation")
def requestingAttestationSucceeds(manager):
    attested(manager)


@avf_test(needs="protected attestation")
def usingProvisionedKeyForVmAttestationSucceeds(manager):
    with ready(manager.create("test_vm", config(protected=True))) as service:
        assert attest(service, 32) == "ATTESTATION_OK"


# --- encrypted storage ----------------------------------------------------

def storage_vm(manager, name="test_vm", payload=TEST_LIB):
    return manager.create(name, config(payload,
                                       encrypted_storage_bytes=STORAGE))


@avf_test(needs="storage")
def encryptedStorageAvailable(manager):
    with ready(storage_vm(manager)) as service:
        assert service.getEncryptedStoragePath() == "/mnt/encryptedstore"


@avf_test(needs="storage")
def encryptedStorageIsPersistent(manager):
    vm = storage_vm(manager)
    with ready(vm) as service:
        service.writeToFile("Example", FILE)
        service.quit()
        vm.wait_stopped(harness.PATIENCE)
    with ready(vm) as service:
        assert service.readFromFile(FILE) == "Example"


@avf_test(needs="storage")
def encryptedStorageIsInaccessibleToDifferentVm(manager):
    one, other = (storage_vm(manager, name) for name in ("one", "other"))
    with ready(one) as service:
        service.writeToFile("Example", FILE)
    pathlib.Path(other.root_dir, "storage.img").write_bytes(
        pathlib.Path(one.root_dir, "storage.img").read_bytes())
    events = run_to_end(other)
    assert not has(events, EventType.PAYLOAD_READY)
    texts = [e.text for e in events if e.type == EventType.ERROR]
    assert any("Unable to prepare encrypted storage" in t for t in texts)


@avf_test(needs="storage")
def staleEncryptedstoreDetection(manager):
    vm = storage_vm(manager)
    with ready(vm):
        pass
    image = pathlib.Path(vm.root_dir, "storage.img")
    image.write_bytes(bytes(image.stat().st_size))
    events = run_to_end(vm)
    texts = [e.text for e in events if e.type == EventType.ERROR]
    assert any("Detected stale encryptedstore" in t for t in texts)


@avf_test(needs="storage")
def encryptedStoreIsMountedWithNoExec(manager):
    with ready(storage_vm(manager)) as service:
        assert service.getMountFlags("/mnt/encryptedstore") & 8


def copy_of_storage_vm(manager, other):
    vm = storage_vm(manager, "original")
    with ready(vm) as service:
        service.writeToFile("Example", FILE)
        service.quit()
        vm.wait_stopped(harness.PATIENCE)
    copy = other.import_from_descriptor("copy", vm.to_descriptor())
    same_files(vm, copy, ("instance_id", "instance.img", "storage.img"))
    with ready(copy) as service:
        assert service.readFromFile(FILE) == "Example"


@avf_test(needs="storage")
def importedVmIsEqualToTheOriginalVm_WithStorage(manager):
    copy_of_storage_vm(manager, manager)


@avf_test(needs="storage")
def testVmDescriptorParcelUnparcel_withTrustedStorage(manager):
    copy_of_storage_vm(manager, manager)


@avf_test(needs="storage")
def testShareVmWithAnotherApp_encryptedStorage(manager):
    with harness.new_manager() as other:
        copy_of_storage_vm(manager, other)


@avf_test(needs="encrypted_assets")
def mountEncryptedAssets(manager):
    with ready(manager.create("test_vm", config())) as service:
        directory = service.mountEncryptedAssets("assets/secret.img")
        assert directory == "/mnt/encrypted_assets"
        assert service.readFromFile(directory + "/file.txt")


# --- extra packages -------------------------------------------------------

def extra_apk_is_read(vm):
    with ready(vm) as service:
        assert service.readFromFile(
            "/mnt/extra-apk/0/assets/file.txt") == "Hello, I am a file!"


@avf_test(needs="extra_apk")
def extraApk(manager):
    extra_apk_is_read(manager.create("test_vm", config(
        extra_apks=[harness.PACKAGE])))


@avf_test(needs="extra_apk config_path")
def extraApkInVmConfig(manager):
    extra_apk_is_read(manager.create("test_vm", config(
        None, payload_config_path="assets/vm_config_extra_apk.json")))


@avf_test(needs="extra_apk")
def bootFailsWhenExtraApkPackageIsInvalid(manager):
    vm = manager.create("test_vm", config(extra_apks=["/does/not/exist"]))
    fails("AVF_ERR_NOT_FOUND", "Extra APK package not found", vm.run)


# --- vendor images, signed images, Rust -----------------------------------

def vendor_image(name="vendor"):
    return harness.PACKAGES / f"{name}.img"


@avf_test(needs="vendor")
def bootsWithVendorPartition(manager):
    with ready(manager.create("test_vm", config(
            vendor_disk_image=vendor_image()))) as service:
        assert service.readFromFile("/vendor/etc/file.txt")


@avf_test(needs="vendor")
def bootsWithCustomVendorPartitionForNonPvm(manager):
    with ready(manager.create("test_vm", config(
            vendor_disk_image=vendor_image("custom_vendor")))) as service:
        assert service.readFromFile("/vendor/etc/file.txt")


@avf_test(needs="vendor protected")
def bootFailsWithCustomVendorPartitionForPvm(manager):
    vm = manager.create("test_vm", config(
        protected=True, vendor_disk_image=vendor_image("custom_vendor")))
    assert run_to_end(vm)[-1].code == StopReason.REBOOT


@avf_test(needs="vendor")
def creationFailsWithUnsignedVendorPartition(manager):
    vm = manager.create("test_vm", config(
        vendor_disk_image=vendor_image("unsigned_vendor")))
    fails("AVF_ERR_FORMAT", "Failed to extract vendor hashtree digest",
          vm.run)


@avf_test(needs="verified_boot")
def testBootSucceedsWhenNonProtectedVmStartsWithImagesSignedWithDifferentKey(
        manager):
    with ready(manager.create("test_vm", config(
            guest_image=harness.PACKAGES / "image_of_another_key"))):
        pass


@avf_test(needs="verified_boot")
def testBootFailsWhenVbMetaDigestDoesNotMatchBootconfig(manager):
    vm = manager.create("test_vm", config(
        guest_image=harness.PACKAGES / "image_with_another_digest",
        vm_output_captured=True))
    assert not has(run_to_end(vm), EventType.PAYLOAD_STARTED)
    with vm.console_output() as console:
        assert b"Failed to verify" in console.read()


@avf_test(needs="verified_boot")
def testAllVbmetaUseSHA256():
    for row in avf.image_signatures():
        assert row.digest == "sha256", row


@avf_test(needs="rust")
def createAndRunRustVm(manager):
    with ready(manager.create("test_vm", config(
            "libmicrodroid_testlib_rust.so"))) as service:
        assert service.addInteger(37, 73) == 110


@avf_test(needs="rust storage")
def createAndRunRustVmWithEncryptedStorage(manager):
    with ready(storage_vm(manager, payload="libmicrodroid_testlib_rust.so")
               ) as service:
        assert service.getEncryptedStoragePath() == "/mnt/encryptedstore"


# --- protected VMs, updates, crash dumps, devices -------------------------

def console_of(vm):
    run_to_end(vm)
    with vm.console_output() as console:
        return console.read()


@avf_test(needs="protected")
def protectedVmRunsPvmfw(manager):
    text = console_of(manager.create("test_vm", config(
        "MicrodroidExitNativeLib.so", protected=True,
        vm_output_captured=True)))
    assert b"pVM firmware" in text
    assert b"Starting payload..." in text


@avf_test(needs="protected verified_boot")
def protectedVmWithImageSignedWithDifferentKeyFailsToVerifyPayload(manager):
    text = console_of(manager.create("test_vm", config(
        guest_image=harness.PACKAGES / "image_of_another_key",
        protected=True, vm_output_captured=True)))
    assert b"Failed to verify the payload" in text


def updated(manager, first, then, **fields):
    """Whether an instance of one version starts with another one."""
    vm = manager.create("test_vm", config(
        package=harness.PACKAGES / f"{first}.avfpkg", **fields))
    assert starts(vm)
    vm.set_config(config(package=harness.PACKAGES / f"{then}.avfpkg",
                         **fields))
    return starts(vm)


@avf_test(needs="updatable")
def UpgradedPackageIsAcceptedWithSecretkeeper(manager):
    assert updated(manager, "v5", "v6")


@avf_test(needs="updatable protected")
def DowngradedPackageIsRejectedProtectedVm(manager):
    assert not updated(manager, "v6", "v5", protected=True)


def dumps_after_crash(manager, payload, **fields):
    vm = manager.create("test_vm", config(payload, **fields))
    run_to_end(vm)
    assert vm.status == Status.STOPPED
    return vm.tombstones()


CRASH = "MicrodroidCrashNativeLib.so"


@avf_test(needs="tombstones config_path")
def testTombstonesAreGeneratedUponUserspaceCrash(manager):
    assert dumps_after_crash(manager, None,
                             payload_config_path="assets/vm_config_crash.json")


@avf_test(needs="tombstones config_path")
def testTombstonesAreNotGeneratedIfNotExportedUponUserspaceCrash(manager):
    assert not dumps_after_crash(
        manager, None,
        payload_config_path="assets/vm_config_crash_no_tombstone.json")


@avf_test(needs="tombstones")
def testTombstonesAreGeneratedUponKernelCrash(manager):
    vm = manager.create("test_vm", config())
    with ready(vm) as service:
        service.crashKernel()
    assert vm.ramdump()


@avf_test(needs="tombstones")
def testTombstonesAreGeneratedWithCrashPayload(manager):
    assert dumps_after_crash(manager, CRASH)


@avf_test(needs="tombstones")
def testTombstonesAreNotGeneratedWithCrashPayloadWhenNonDebuggable(manager):
    assert not dumps_after_crash(manager, CRASH, debug=False)


@avf_test(needs="tombstones config_path")
def testTombstonesAreGeneratedWithCrashConfig(manager):
    assert dumps_after_crash(manager, None,
                             payload_config_path="assets/vm_config_crash.json")


@avf_test(needs="tombstones config_path")
def testTombstonesAreNotGeneratedWithCrashConfigWhenNonDebuggable(manager):
    assert not dumps_after_crash(
        manager, None, debug=False,
        payload_config_path="assets/vm_config_crash.json")


@avf_test(needs="device_assignment")
def testDeviceAssignment(manager):
    devices = avf.assignable_devices()
    if not devices:
        pytest.skip("this host has no device to assign")
    for device in devices:
        with ready(manager.create(f"vm{device}", config(
                devices=[device]))) as service:
            assert service.getFilePermissions(
                f"/sys/bus/pci/devices/{device}")
