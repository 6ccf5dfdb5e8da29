/* Addresses and ports of the trial guest; also read by the assembler. */
#pragma once

/* Guest physical = linear addresses, all below 1 MiB. */
#define TRIAL_PML4       0x1000
#define TRIAL_PDPT       0x2000
#define TRIAL_PD         0x3000
#define TRIAL_GDT        0x4000
#define TRIAL_IDT        0x5000
#define TRIAL_TSS        0x6000
#define TRIAL_STACK      0x9000 /* top */
#define TRIAL_USER_STACK 0xa000 /* top */
#define TRIAL_XSAVE      0xb000
#define TRIAL_SCRATCH    0xc000
#define TRIAL_CODE       0x10000
#define TRIAL_MEMORY     0x100000 /* bytes */

/* Selectors, as SYSCALL and SYSRET want them ordered. */
#define TRIAL_KERNEL_CS 0x08
#define TRIAL_KERNEL_SS 0x10
#define TRIAL_USER_SS   0x1b
#define TRIAL_USER_CS   0x23
#define TRIAL_TR        0x28

/* The guest writes a byte: what it reached, or the vector of a fault. */
#define TRIAL_PORT_STEP  0xf4
#define TRIAL_PORT_FAULT 0xf5

#define TRIAL_STEP_BEGIN 1
#define TRIAL_STEP_DONE  2
#define TRIAL_STEP_WRONG 3 /* it ran, with a wrong result */
