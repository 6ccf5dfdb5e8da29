import android.system.virtualmachine.VirtualMachine;
import android.system.virtualmachine.VirtualMachineConfig;
import android.system.virtualmachine.VirtualMachineCustomImageConfig;
import android.system.virtualmachine.VirtualMachineManager;

/**
 * Boot a kernel as the VM "example" and show its console.
 *
 *   java -cp build/dev/java/libvirtualization.jar RunKernel.java KERNEL
 */
public class RunKernel {
    public static void main(String[] args) throws Exception {
        var context = new avf.LinuxContext();
        var manager = context.getSystemService(VirtualMachineManager.class);
        var config = new VirtualMachineConfig.Builder(context)
                .setProtectedVm(false)
                .setDebugLevel(VirtualMachineConfig.DEBUG_LEVEL_FULL)
                .setVmOutputCaptured(true)
                .setCustomImageConfig(
                        new VirtualMachineCustomImageConfig.Builder()
                                .setKernelPath(args[0]).build())
                .build();
        try (VirtualMachine vm = manager.create("example", config)) {
            vm.run();
            vm.getConsoleOutput().transferTo(System.out);
        }
        manager.delete("example");
    }
}
