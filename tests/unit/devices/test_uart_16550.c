#include "devices/uart_16550.h"

#include <criterion/criterion.h>
#include <linux/serial_reg.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/fd.h"

#define BASE 0x3f8

static struct loop loop;
static struct bus bus;
static struct sink sink;
static struct uart_16550 uart;
static int host_in[2], host_out[2];
static int irq_fd;
static unsigned int log_lines;

static void on_log(void *userdata, enum log_level level, const char *text)
{
	(void)userdata;
	(void)level;
	(void)text;
	log_lines++;
}

static const struct log log_ = {.sink = on_log, .max_level = LOG_LEVEL_DEBUG};

static void start(void)
{
	cr_assert_eq(loop_init(&loop), 0);
	cr_assert_eq(pipe(host_in), 0);
	cr_assert_eq(pipe(host_out), 0);
	cr_assert_eq(fd_set_nonblock(host_out[0], true), 0);
	irq_fd = eventfd(0, EFD_NONBLOCK);
	sink_init(&sink, host_out[1], &loop);
	cr_assert_eq(
		uart_16550_init(&uart,
				&(struct uart_16550_config){.loop = &loop,
							    .out = &sink,
							    .in_fd = host_in[0],
							    .irq_fd = irq_fd,
							    .log = &log_}),
		0);
	bus_init(&bus, "pio");
	uart.range.base = BASE;
	cr_assert_eq(bus_add(&bus, &uart.range), 0);
}

static void stop(void)
{
	bus_remove(&bus, &uart.range);
	uart_16550_fini(&uart);
	sink_fini(&sink);
	loop_fini(&loop);
}

static uint8_t in(uint64_t reg)
{
	uint8_t value = 0;

	cr_assert(bus_read(&bus, BASE + reg, &value, 1));
	return value;
}

static void out(uint64_t reg, uint8_t value)
{
	cr_assert(bus_write(&bus, BASE + reg, &value, 1));
}

static unsigned int edges(void)
{
	uint64_t count = 0;

	(void)!read(irq_fd, &count, sizeof(count));
	return (unsigned int)count;
}

static void type(const char *text)
{
	cr_assert_eq(fd_write_all(host_in[1], text, strlen(text)), 0);
	cr_assert_eq(loop_run_once(&loop, 1000), 0);
}

TestSuite(uart_16550, .timeout = 20, .init = start, .fini = stop);

Test(uart_16550, registers_that_linux_probes)
{
	static const struct {
		const char *what;
		uint64_t set_reg;
		uint8_t set;
		uint64_t reg;
		uint8_t mask;
		uint8_t want;
	} rows[] = {
		{"IER clears", UART_IER, 0, UART_IER, 0xff, 0},
		{"IER keeps four bits", UART_IER, 0xff, UART_IER, 0xff, 0x0f},
		{"IER clears again", UART_IER, 0, UART_IER, 0xff, 0},
		{"scratch", UART_SCR, 0xa5, UART_SCR, 0xff, 0xa5},
		{"no FIFO", UART_FCR, 0, UART_IIR, 0xff, 1},
		{"FIFO of a 16550A", UART_FCR, 1, UART_IIR, 0xff, 0xc1},
		{"loopback of RTS and OUT2", UART_MCR, 0x1a, UART_MSR, 0xf0,
		 0x90},
		{"loopback of DTR and OUT1", UART_MCR, 0x15, UART_MSR, 0xf0,
		 0x60},
		{"a modem that is there", UART_MCR, 0xeb, UART_MSR, 0xf0, 0xb0},
		{"MCR has five bits", UART_MCR, 0xe0, UART_MCR, 0xff, 0},
		{"LSR cannot be written", UART_LSR, 0, UART_LSR, 0xff, 0x60},
		{"MSR cannot be written", UART_MSR, 0, UART_MSR, 0xff, 0xb0},
		{"LCR", UART_LCR, 0x80, UART_LCR, 0xff, 0x80},
		{"divisor low", UART_DLL, 0x12, UART_DLL, 0xff, 0x12},
		{"divisor high", UART_DLM, 0x34, UART_DLM, 0xff, 0x34},
		{"no enhanced registers", UART_LCR, 0xbf, UART_IIR, 0xff, 0xc1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t got;

		out(rows[i].set_reg, rows[i].set);
		got = in(rows[i].reg);
		cr_expect_eq(got & rows[i].mask, rows[i].want, "%s: 0x%x",
			     rows[i].what, got);
	}
	out(UART_LCR, 3);
	cr_expect_eq(in(UART_IER), 0, "the divisor is not IER");
	cr_expect_eq(edges(), 1, "for the transmitter that was switched on");
}

Test(uart_16550, wide_and_straddling_accesses_find_nothing)
{
	for (uint32_t size = 2; size <= 8; size *= 2) {
		for (uint64_t reg = 0; reg < 8; reg++) {
			uint64_t value = 0;

			(void)bus_write(&bus, BASE + reg, &value, size);
			(void)bus_read(&bus, BASE + reg, &value, size);
			cr_expect_eq(value,
				     size == 8 ? UINT64_MAX
					       : (1ULL << 8 * size) - 1,
				     "%u bytes at %u", size, (unsigned int)reg);
		}
	}
	cr_assert_eq(loop_run_once(&loop, 0), 0);
	cr_expect_eq(in(UART_LSR), 0x60);
	cr_expect_eq(in(UART_LCR), 3, "untouched");
}

Test(uart_16550, output_reaches_the_host)
{
	char text[16] = "";

	for (const char *p = "hello\n"; *p; p++) {
		out(UART_TX, (uint8_t)*p);
		cr_expect_eq(in(UART_LSR)&0x60, 0x60);
	}
	cr_expect_lt(read(host_out[0], text, sizeof(text)), 0,
		     "no I/O on a vCPU");
	cr_assert_eq(loop_run_once(&loop, 1000), 0);
	cr_expect_eq(read(host_out[0], text, sizeof(text)), 6);
	cr_expect_str_eq(text, "hello\n");
}

Test(uart_16550, what_is_left_is_written_at_the_end)
{
	char byte = 0;

	out(UART_TX, 'z');
	uart_16550_fini(&uart);
	cr_expect_eq(read(host_out[0], &byte, 1), 1);
	cr_expect_eq(byte, 'z');
}

Test(uart_16550, a_flood_is_dropped_and_counted)
{
	static char all[256 << 10];
	size_t total = 0;
	ssize_t n;

	for (unsigned int i = 0; i < 200000; i++) {
		out(UART_TX, (uint8_t)('a' + i % 26));
		if (i % 1024 == 0)
			cr_assert_eq(loop_run_once(&loop, 0), 0);
	}
	cr_expect_eq(in(UART_LSR)&0x60, 0x60, "never tells to wait");
	cr_expect_gt(uart.tx_dropped, 0);
	cr_expect_leq(log_lines, LOG_BUDGET_LINES);
	cr_expect_gt(log_lines, 0);
	do {
		cr_assert_eq(loop_run_once(&loop, 10), 0);
		n = read(host_out[0], all, sizeof(all));
		total += n > 0 ? (size_t)n : 0;
	} while (n > 0);
	cr_expect_eq(total + uart.tx_dropped, 200000, "none is lost silently");
}

/* The loop does not come round: the oldest bytes stay, the newest go. */
Test(uart_16550, a_full_ring_keeps_what_it_has)
{
	static uint8_t got[2 * UART_16550_TX_RING];
	const unsigned int more = 5;
	size_t total = 0;
	ssize_t n;

	for (unsigned int i = 0; i < UART_16550_TX_RING + more; i++)
		out(UART_TX, (uint8_t)(i % 251));
	cr_expect_eq(uart.tx_dropped, more);
	for (int turn = 0; turn < 8; turn++) {
		cr_assert_eq(loop_run_once(&loop, 0), 0);
		n = read(host_out[0], got + total, sizeof(got) - total);
		total += n > 0 ? (size_t)n : 0;
	}
	cr_assert_eq(total, UART_16550_TX_RING);
	for (size_t i = 0; i < total; i++)
		cr_assert_eq(got[i], i % 251, "byte %zu", i);
}

Test(uart_16550, input_interrupts_once_and_is_held_back)
{
	char text[64];

	out(UART_FCR, 1);
	out(UART_IER, UART_IER_RDI);
	memset(text, 'k', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	type(text);
	cr_expect_eq(edges(), 1);
	cr_assert_eq(loop_run_once(&loop, 0), 0);
	cr_expect_eq(uart.n_rx, UART_16550_FIFO, "the rest stays outside");
	cr_expect_eq(in(UART_IIR), 0xc4);
	cr_expect_eq(in(UART_LSR), 0x61);
	for (unsigned int i = 0; i < sizeof(text) - 1; i++) {
		cr_expect_eq(in(UART_RX), 'k', "byte %u", i);
		cr_assert_eq(loop_run_once(&loop, 0), 0);
	}
	cr_expect_eq(in(UART_LSR), 0x60, "empty, nothing overrun");
	cr_expect_eq(in(UART_RX), 0, "empty");
	cr_expect_eq(in(UART_IIR), 0xc1);
	(void)edges();
	type("x");
	cr_expect_eq(edges(), 1, "again after it was empty");
	out(UART_IER, 0);
	out(UART_IER, UART_IER_RDI);
	cr_expect_eq(edges(), 1, "switched off and on is an edge");
	out(UART_FCR, 1 | UART_FCR_CLEAR_RCVR);
	cr_expect_eq(in(UART_LSR), 0x60, "cleared");
}

Test(uart_16550, transmitter_interrupts_when_empty)
{
	out(UART_IER, UART_IER_THRI);
	cr_expect_eq(edges(), 1, "switching on tells at once");
	cr_expect_eq(in(UART_IIR), 0x02);
	cr_expect_eq(in(UART_IIR), 0x01, "told once");
	out(UART_TX, 'a');
	cr_expect_eq(edges(), 1);
	cr_expect_eq(in(UART_IIR), 0x02);
	out(UART_IER, 0);
	out(UART_IER, UART_IER_THRI);
	cr_expect_eq(in(UART_IIR), 0x02, "Linux's test of the transmitter");
}

Test(uart_16550, loopback_wraps_the_fifo_and_overruns)
{
	out(UART_MCR, UART_MCR_LOOP);
	out(UART_IER, UART_IER_RLSI);
	for (unsigned int round = 0; round < 5; round++) {
		for (unsigned int i = 0; i < 10; i++)
			out(UART_TX, (uint8_t)(round * 16 + i));
		for (unsigned int i = 0; i < 10; i++)
			cr_expect_eq(in(UART_RX), round * 16 + i);
	}
	cr_expect_eq(edges(), 0);
	for (unsigned int i = 0; i < 100; i++)
		out(UART_TX, (uint8_t)i);
	cr_expect_eq(edges(), 1);
	cr_expect_eq(in(UART_IIR), UART_IIR_RLSI);
	cr_expect_eq(in(UART_LSR), 0x63);
	cr_expect_eq(in(UART_LSR), 0x61, "overrun is told once");
	cr_expect_eq(in(UART_RX), 0, "the oldest stays");
	cr_assert_eq(loop_run_once(&loop, 0), 0);
	cr_expect_eq(uart.n_tx, 0, "nothing goes out");
}

Test(uart_16550, the_end_of_input_is_quiet)
{
	(void)close(host_in[1]);
	cr_assert_eq(loop_run_once(&loop, 1000), 0);
	cr_expect(uart.in_ended);
	cr_expect_lt(uart.in_source.fd, 0);
	cr_expect_eq(in(UART_LSR), 0x60);
	cr_expect_lt(uart.in_source.fd, 0, "not watched again");
}
