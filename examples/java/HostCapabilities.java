import android.content.Context;
import android.system.virtualmachine.VirtualMachineManager;

/**
 * What VMs would run here.
 *
 *   java -cp build/dev/java/libvirtualization.jar HostCapabilities.java
 */
public class HostCapabilities {
    public static void main(String[] args) {
        Context context = new avf.LinuxContext();

        VirtualMachineManager vmm =
                context.getSystemService(VirtualMachineManager.class);
        if (vmm == null) {
            System.out.println("no virtualization");
        } else {
            int capabilities = vmm.getCapabilities();
            if ((capabilities
                    & VirtualMachineManager.CAPABILITY_PROTECTED_VM) != 0)
                System.out.println("protected VMs");
            if ((capabilities
                    & VirtualMachineManager.CAPABILITY_NON_PROTECTED_VM) != 0)
                System.out.println("non-protected VMs");
            System.out.println("capabilities: " + capabilities);
        }
    }
}
