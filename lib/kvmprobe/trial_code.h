/* Labels of the trial guest, see trial_x86_64.S. Bytes, not functions: they
 * run in the guest only. */
#pragma once

extern const unsigned char trial_code[];
extern const unsigned char trial_code_end[];
extern const unsigned char trial_loop[];
extern const unsigned char trial_popcnt[];
extern const unsigned char trial_cmpxchg16b[];
extern const unsigned char trial_int3[];
extern const unsigned char trial_smap[];
extern const unsigned char trial_xsave[];
extern const unsigned char trial_iretq[];
extern const unsigned char trial_syscall[];
extern const unsigned char trial_syscall_entry[];
extern const unsigned char trial_int3_handler[];
extern const unsigned char trial_fault_handlers[];
