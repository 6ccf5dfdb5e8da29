/*
 * From the entry of an arm64 Image (EL1, MMU off, x0: device tree) to C, and
 * the same for the other CPUs from PSCI's CPU_ON (x0: their number).
 *
 * The MMU is on, over a table of 1 GiB blocks that maps everything onto itself:
 * without it memory would be uncached, and a device's view another one.
 */
#define STACK_BYTES 4096

/* Arm ARM D8.3: level 1 blocks; AF, inner shareable, index into MAIR */
#define BLOCK_DEVICE 0x60000000000401 /* nobody executes there; index 0 */
#define BLOCK_NORMAL 0x705            /* index 1 */
#define MAIR         0xff00           /* 0: device nGnRnE, 1: write-back */
/* 39 bits of address, walks cached and shareable, no upper half, 40 bits out */
#define TCR          0x200803519
#define SCTLR_MMU    0x30d01805 /* MMU, caches, and the bits that are one */

	.section .head, "ax"
	.global image_start
image_start:
	b	boot_cpu
	.long	0
	.quad	0                       /* text offset */
	.quad	image_end - image_start /* with BSS */
	.quad	0xa                     /* little endian, 4 KiB, anywhere */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0

	.text
boot_cpu:
	adrp	x1, device_tree
	str	x0, [x1, #:lo12:device_tree]
	mov	x19, #0
	b	start

	.global secondary_cpu
secondary_cpu:
	mov	x19, x0

/* x19: number of the CPU, 0 is the boot CPU */
start:
	adr	x0, vectors
	msr	vbar_el1, x0
	ldr	x0, =MAIR
	msr	mair_el1, x0
	ldr	x0, =TCR
	msr	tcr_el1, x0
	adrp	x0, page_table
	msr	ttbr0_el1, x0
	dsb	sy
	tlbi	vmalle1
	ic	iallu
	dsb	sy
	isb
	ldr	x0, =SCTLR_MMU
	msr	sctlr_el1, x0
	isb
	adrp	x0, stacks
	add	x0, x0, #:lo12:stacks
	add	x1, x19, #1
	mov	x2, #STACK_BYTES
	madd	x0, x1, x2, x0
	mov	sp, x0
	mov	x29, #0
	mov	w0, w19
	cbnz	x19, 1f
	bl	guest_main
	b	halt_forever
1:	bl	cpu_main
	b	halt_forever

/* Nothing is expected, so all are one: C says what it was. */
	.balign	2048
vectors:
	.rept	16
	mrs	x0, esr_el1
	mrs	x1, elr_el1
	mrs	x2, far_el1
	b	unexpected_exception
	.balign	128
	.endr

	.section .private, "aw"
	.balign	4096
page_table:
	.quad	0x00000000 + BLOCK_DEVICE
	.quad	0x40000000 + BLOCK_DEVICE
	.set	address, 0x80000000
	.rept	510
	.quad	address + BLOCK_NORMAL
	.set	address, address + 0x40000000
	.endr

	.section .stacks, "aw", %nobits
	.balign	16
stacks:
	.skip	STACK_BYTES * 64

	.bss
	.balign	8
	.global	device_tree
device_tree:
	.skip	8
	.section .note.GNU-stack, "", @progbits
