/*
 * The trial guest: x0 rounds of two instructions, between BEGIN and DONE. The
 * host copies it to TRIAL_CODE; it is data here and never runs in our process.
 */
#include "kvmprobe/trial_arm64.h"

	.macro step value
	mov	w2, #\value
	strb	w2, [x1]
	.endm

	.section .rodata
	.balign	16
	.globl	trial_code
	.hidden	trial_code
	.type	trial_code, @object
trial_code:
	mov	x1, #TRIAL_PORT_STEP
	step	TRIAL_STEP_BEGIN
1:	subs	x0, x0, #1
	b.ne	1b
	step	TRIAL_STEP_DONE
2:	wfi
	b	2b
	.globl	trial_code_end
	.hidden	trial_code_end
	.type	trial_code_end, @object
trial_code_end:
	.byte	0

	.section .note.GNU-stack, "", @progbits
