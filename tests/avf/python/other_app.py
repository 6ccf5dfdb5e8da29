"""Another app: takes a VM over the socket that is its argument, and uses
it."""
import socket
import sys

import avf
import harness

with (socket.socket(fileno=int(sys.argv[1])) as sock,
      harness.new_manager() as manager):
    vm = manager.import_from_descriptor("imported",
                                        avf.Descriptor.receive(sock))
    with harness.ready(vm) as service:
        print(vm.name, service.addInteger(123, 456))
