import harness
import pytest


@pytest.fixture(scope="session")
def guest():
    """One running VM for all tests that only look at the guest: its
    service, with the VM as its attribute."""
    with harness.new_manager() as manager:
        vm = manager.create("test_vm", harness.config(
            vm_output_captured=True, vm_console_input_supported=True))
        with vm, harness.ready(vm) as service:
            service.vm = vm
            yield service


@pytest.fixture
def manager():
    with harness.new_manager() as manager:
        yield manager
