/*
 * From the PVH entry (32-bit protected mode, paging off, ebx: start_info;
 * Linux Documentation/virt/x86/ and Xen's pvh.rst) to 64-bit C, and the same
 * for the other CPUs from their start-up IPI.
 */
#define STACK_BYTES   4096
#define MAX_CPUS      64
#define CR0_PG_PE     0x80000001
#define CR4_PAE       0x20
#define MSR_EFER      0xc0000080
#define EFER_LME      0x100
#define SEL_CODE32    0x08
#define SEL_CODE64    0x10
#define SEL_DATA      0x18
#define PAGE_TABLE    0x03 /* present, writable */
#define PAGE_2MIB     0x83
#define VECTORS       0x100000   /* bare.ld puts them there */
#define VECTOR_BYTES  16
#define EXCEPTIONS    32
#define ERROR_CODES   0x60227d00 /* bit n: exception n pushes one */
#define GATE          0x8e00     /* interrupt gate, present */

	.section .note.Xen, "a", @note
	.align 4
	.long 4, 4, 18 /* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.long pvh_start

/*
 * The first of the image, so that the assembler knows their addresses and can
 * make the table. Nothing is expected: C says what it was, on the stack that
 * was in use (Intel SDM volume 3, 6.14.2: rip above the error code).
 */
	.section .vectors, "ax"
	.code64
	.global vectors
vectors:
	.set vector, 0
	.rept EXCEPTIONS
	.balign VECTOR_BYTES
	.if !(ERROR_CODES >> vector & 1)
	pushq $0
	.endif
	pushq $vector
	jmp exception
	.set vector, vector + 1
	.endr
exception:
	popq %rdi
	popq %rsi
	popq %rdx
	movq %cr2, %rcx
	andq $-16, %rsp
	call unexpected_exception

	.text
	.code32
	.global pvh_start
pvh_start:
	cli
	movl %ebx, start_info
	lgdtl gdt_pointer
	ljmpl $SEL_CODE32, $enter_long

/* Paging and long mode, then a stack by ticket: 0 is the boot CPU. */
enter_long:
	movw $SEL_DATA, %ax
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %ss
	movl $CR4_PAE, %eax
	movl %eax, %cr4
	movl $page_tables, %eax
	movl %eax, %cr3
	movl $MSR_EFER, %ecx
	movl $EFER_LME, %eax
	xorl %edx, %edx
	wrmsr
	movl $CR0_PG_PE, %eax
	movl %eax, %cr0
	ljmpl $SEL_CODE64, $in_long

	.code64
in_long:
	lidt idt_pointer(%rip)
	movl $1, %eax
	lock xaddl %eax, cpu_tickets(%rip)
	cmpl $MAX_CPUS, %eax
	jae halt
	movl %eax, %edi
	incl %eax
	imull $STACK_BYTES, %eax, %eax
	leaq stacks(%rax), %rsp
	testl %edi, %edi
	jnz secondary
	call guest_main
halt:
	cli
	hlt
	jmp halt
secondary:
	call cpu_main
	jmp halt

/* Copied below 1 MiB; runs in real mode at segment:0, any segment. */
	.code16
	.global ap_trampoline, ap_trampoline_end
ap_trampoline:
	cli
	movw %cs, %ax
	movw %ax, %ds
	lgdtl ap_gdt_pointer - ap_trampoline
	movl $1, %eax /* PE */
	movl %eax, %cr0
	ljmpl $SEL_CODE32, $enter_long
	.align 4
ap_gdt_pointer:
	.word gdt_end - gdt - 1
	.long gdt
ap_trampoline_end:

	.data
	.align 8
gdt:
	.quad 0
	.quad 0x00cf9b000000ffff /* 32-bit code */
	.quad 0x00af9b000000ffff /* 64-bit code */
	.quad 0x00cf93000000ffff /* data */
gdt_end:
gdt_pointer:
	.word gdt_end - gdt - 1
	.long gdt

/* 64-bit gates (Intel SDM volume 3, 6.14.1). */
	.align 8
idt:
	.set address, VECTORS
	.rept EXCEPTIONS
	.word address & 0xffff, SEL_CODE64, GATE, address >> 16
	.quad 0
	.set address, address + VECTOR_BYTES
	.endr
idt_end:
idt_pointer:
	.word idt_end - idt - 1
	.quad idt

/* Identity mapping of 4 GiB, made by the assembler to save instructions. */
	.align 4096
page_tables:
	.quad page_directory_pointers + PAGE_TABLE
	.fill 511, 8, 0
page_directory_pointers:
	.quad page_directories + 0x0000 + PAGE_TABLE
	.quad page_directories + 0x1000 + PAGE_TABLE
	.quad page_directories + 0x2000 + PAGE_TABLE
	.quad page_directories + 0x3000 + PAGE_TABLE
	.fill 508, 8, 0
page_directories:
	.set address, 0
	.rept 2048
	.quad address + PAGE_2MIB
	.set address, address + 0x200000
	.endr

	.bss
	.align 16
stacks:
	.skip STACK_BYTES * MAX_CPUS
	.global start_info
start_info:
	.skip 8
cpu_tickets:
	.skip 4
	.section .note.GNU-stack, "", @progbits
