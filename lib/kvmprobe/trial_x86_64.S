/*
 * The trial guest: one entry point for each thing that a Linux kernel needs
 * ring 0 to do. Each says BEGIN, does it, and says DONE. Position: the host
 * copies it to TRIAL_CODE; it is data here and never runs in our process.
 */
#include "kvmprobe/trial_x86_64.h"

#define AT(label) (label - trial_code + TRIAL_CODE)

	.macro step value
	movb	$\value, %al
	outb	%al, $TRIAL_PORT_STEP
	.endm

	.macro done
	step	TRIAL_STEP_DONE
	hlt
	.endm

	.macro export name
	.globl	\name
	.hidden	\name
	.type	\name, @object
\name:
	.endm

	.section .rodata
	.balign	16
	.code64
export trial_code

/* rdi rounds of two instructions */
export trial_loop
	step	TRIAL_STEP_BEGIN
1:	decq	%rdi
	jnz	1b
	done

export trial_popcnt
	step	TRIAL_STEP_BEGIN
	movl	$0xf0f, %ecx
	popcntq	%rcx, %rdx
	cmpl	$8, %edx
	jne	wrong
	done

export trial_cmpxchg16b
	step	TRIAL_STEP_BEGIN
	xorl	%eax, %eax
	xorl	%edx, %edx
	movl	$1, %ebx
	movl	$2, %ecx
	lock cmpxchg16b TRIAL_SCRATCH
	jne	wrong
	cmpl	$2, TRIAL_SCRATCH + 8
	jne	wrong
	done

/* through the IDT and back */
export trial_int3
	step	TRIAL_STEP_BEGIN
	xorl	%r12d, %r12d
	int3
	cmpl	$1, %r12d
	jne	wrong
	done

export trial_smap
	step	TRIAL_STEP_BEGIN
	stac
	clac
	done

export trial_xsave
	step	TRIAL_STEP_BEGIN
	movl	$1, %eax
	xorl	%edx, %edx
	xsave64	TRIAL_XSAVE
	movl	$1, %eax
	xrstor64 TRIAL_XSAVE
	done

/* to ring 3, with IOPL 3 so that it can tell */
export trial_iretq
	step	TRIAL_STEP_BEGIN
	pushq	$TRIAL_USER_SS
	pushq	$TRIAL_USER_STACK
	pushq	$0x3002
	pushq	$TRIAL_USER_CS
	pushq	$AT(in_ring3)
	iretq
in_ring3:
	done

/* begins in ring 3, with IOPL 3 */
export trial_syscall
	step	TRIAL_STEP_BEGIN
	syscall
after_syscall:
	jmp	wrong

/* where LSTAR points */
export trial_syscall_entry
	cmpq	$AT(after_syscall), %rcx
	jne	wrong
	done

wrong:
	step	TRIAL_STEP_WRONG
	hlt

/* Vector 3 is expected, the others are not. All are of 16 bytes. */
export trial_int3_handler
	incl	%r12d
	iretq

	.balign	16
export trial_fault_handlers
	.set	vector, 0
	.rept	32
	movb	$vector, %al
	outb	%al, $TRIAL_PORT_FAULT
	hlt
	.balign	16
	.set	vector, vector + 1
	.endr

export trial_code_end
	.byte	0

	.section .note.GNU-stack, "", @progbits
