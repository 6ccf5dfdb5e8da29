"""Runs the payload calculator.cpp, and calls it. Argument: the package."""
import pathlib
import sys

import avf
import avf.rpc

aidl = avf.rpc.load(pathlib.Path(__file__).parent
                    / "com/example/ICalculator.aidl")
config = avf.Config(package=sys.argv[1], payload_name="libcalculator.so",
                    acceleration=avf.Acceleration.KVM_OR_EMULATION)
with avf.Vm(config) as vm:
    vm.run()
    for event in vm.events():
        if event.type == avf.EventType.PAYLOAD_READY:
            calculator = aidl.ICalculator(vm.connect_rpc(5678))
            print(calculator.add(37, 73))
            break
