"""Not one of AVF's tests: whether features.txt says the truth, so that no
test stays skipped when what it waits for has come."""
import avf
import pytest
from harness import EX_UNSUPPORTED_OPERATION, FEATURES, config


def has_secret(guest, manager):
    try:
        return bool(guest.insecurelyExposeVmInstanceSecret())
    except avf.rpc.AidlException as error:
        assert error.code == EX_UNSUPPORTED_OPERATION
        return False


def runs_with_storage(guest, manager):
    vm = manager.create("storage", config(encrypted_storage_bytes=1 << 20))
    try:
        vm.run()
    except avf.AvfError as error:
        assert error.name == "AVF_ERR_UNSUPPORTED"
        return False
    vm.close()
    return True


def has_setter(name):
    return lambda guest, manager: hasattr(avf.Config, "set_" + name)


SIGNS = {
    "rpc": lambda guest, manager: guest.as_binder().is_remote,
    "identity": has_secret,
    "storage": runs_with_storage,
    "config_path": has_setter("payload_config_path"),
    "extra_apk": has_setter("extra_apks"),
    "vendor": has_setter("vendor_disk_image"),
    "device_assignment": has_setter("devices"),
}


@pytest.mark.parametrize("feature", SIGNS)
def test_features_are_as_the_list_says(feature, guest, manager):
    is_there = SIGNS[feature](guest, manager)
    assert is_there == (not FEATURES[feature]), (
        f"{feature} is {'' if is_there else 'not '}there: change its row in "
        "tests/avf/features.txt, and docs/avf-conformance.md")
