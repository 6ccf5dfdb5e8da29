/*
 * The only instructions that touch guest memory: between guest_access_begin
 * and guest_access_end. They use no stack and change no register that a caller
 * keeps, so that a fault in any of them can go on at guest_access_failed.
 */
	.macro function name
	.balign	16
	.globl	\name
	.hidden	\name
	.type	\name, %function
\name:
	.endm

	.text
function guest_access_begin

/* x0: to, x1: from, x2: bytes */
function guest_copy_raw
	subs	x2, x2, #32
	b.lo	2f
1:	ldp	x4, x5, [x1], #16
	ldp	x6, x7, [x1], #16
	stp	x4, x5, [x0], #16
	stp	x6, x7, [x0], #16
	subs	x2, x2, #32
	b.hs	1b
2:	adds	x2, x2, #32
	b.eq	4f
3:	ldrb	w4, [x1], #1
	strb	w4, [x0], #1
	subs	x2, x2, #1
	b.ne	3b
4:	mov	w0, #0
	ret

/* x0: from, x1: where the value goes */
function guest_load16_raw
	ldarh	w4, [x0]
	strh	w4, [x1]
	mov	w0, #0
	ret

/* x0: to, w1: value */
function guest_store16_raw
	stlrh	w1, [x0]
	mov	w0, #0
	ret

function guest_access_end

function guest_access_failed
	mov	w0, #1
	ret

	.section .note.GNU-stack, "", %progbits
