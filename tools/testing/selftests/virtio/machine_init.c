// SPDX-License-Identifier: GPL-2.0-only
/*
 * The first program of a guest that has no other one but net_traffic: for machines
 * whose shell and libraries are not at hand (scripts/machine.sh builds it). All virtio
 * disks, SCSI hosts, network devices and sockets to the host are at work at the same time,
 * each in processes of its own. Each gives a line of TAP, and one for the host that says
 * what its rings are:
 *
 *	# row DRIVER|TRANSPORT|LAYOUT|GENERATION|ADDRESSES
 *
 * for example "blk|pci|packed|modern|dma". Disks lose what they have. A network device
 * whose MAC address ends in N is in the network 10.0.N.0/24, where port 7 of address
 * 100 sends back what it gets, as does port 7 of the host's sockets. $machine is what the
 * lines of TAP begin with.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/fs.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define DEVICES		"/sys/bus/virtio/devices"
#define WORKERS		4
#define SECTOR		512
#define MAX_CHUNK	(256 * 1024)
#define MAX_PIECES	48
#define KLOG_CONSOLE_LEVEL	8
#define KLOG_ERRORS		4
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#define ADDRESS		"10.0.%u.%u"
#define MIB		"8"

#define FEATURES		64
#define F_VERSION_1		32
#define F_ACCESS_PLATFORM	33
#define F_RING_PACKED		34
#define F_IN_ORDER		35

/* One write: lines of many processes stay whole. */
__attribute__((format(printf, 1, 2)))
static void say(const char *format, ...)
{
	char line[512];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (write(STDOUT_FILENO, line, len) != len)
		_exit(1);
}

/* Ends this process, which is one of a device. */
static void fail(const char *what, const char *where)
{
	say("# %s: %s: %s\n", where, what, strerror(errno));
	_exit(1);
}

/* Whether all children of this process ended well */
static bool children_succeed(void)
{
	bool good = true;
	int status;

	while (wait(&status) > 0)
		good &= status == 0;
	return good;
}

/* The only file of that pattern */
static const char *find(char *path, size_t size, const char *pattern)
{
	glob_t found;

	if (glob(pattern, 0, NULL, &found) || found.gl_pathc != 1)
		fail("there is not one of them", pattern);
	snprintf(path, size, "%s", found.gl_pathv[0]);
	globfree(&found);
	return strrchr(path, '/') + 1;
}

/* ---- disks ---- */

/* What a sector has says where it is and in which pass it was written. */
static void fill(uint8_t *buf, size_t len, uint64_t offset, uint32_t pass)
{
	uint32_t *word = (uint32_t *)buf, x = 0;
	size_t i;

	for (i = 0; i < len / sizeof(*word); i++) {
		if (i % (SECTOR / sizeof(*word)) == 0)
			x = (offset + i * sizeof(*word)) / SECTOR * 2654435761u + pass * 40503 + 1;
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		word[i] = x;
	}
}

/* Pieces of one to eight sectors, as many as fit: the device is given as many elements. */
static int cut(struct iovec *pieces, uint8_t *buf, size_t len, uint32_t pass)
{
	size_t at = 0, step;
	int n;

	for (n = 0; at < len; n++, at += step) {
		step = SECTOR * (1 + (n + pass) % 8);
		if (step > len - at || n == MAX_PIECES - 1)
			step = len - at;
		pieces[n].iov_base = buf + at;
		pieces[n].iov_len = step;
	}
	return n;
}

static void write_part(int fd, uint64_t start, uint64_t end, size_t chunk, uint32_t pass)
{
	static uint8_t buf[MAX_CHUNK] __attribute__((aligned(4096)));
	struct iovec pieces[MAX_PIECES];
	uint64_t at;

	for (at = start; at < end; at += chunk) {
		fill(buf, chunk, at, pass);
		if (pwritev(fd, pieces, cut(pieces, buf, chunk, pass), at) != (ssize_t)chunk)
			fail("write", "disk");
	}
}

static void check_part(int fd, uint64_t start, uint64_t end, size_t chunk, uint32_t pass)
{
	static uint8_t buf[MAX_CHUNK] __attribute__((aligned(4096))), want[MAX_CHUNK];
	struct iovec pieces[MAX_PIECES];
	uint64_t at;

	for (at = start; at < end; at += chunk) {
		memset(buf, 0, chunk);
		if (preadv(fd, pieces, cut(pieces, buf, chunk, pass), at) != (ssize_t)chunk)
			fail("read", "disk");
		fill(want, chunk, at, pass);
		errno = EILSEQ;
		if (memcmp(buf, want, chunk))
			fail("not what was written", "disk");
	}
}

/* Small and large requests, each read back in other sizes than they were written in */
static void work_on_part(const char *disk, uint64_t start, uint64_t end)
{
	static const size_t sizes[] = { 4096, 65536, 16384, MAX_CHUNK };
	int fd = open(disk, O_RDWR | O_DIRECT);
	unsigned int i;

	if (fd < 0)
		fail("open", disk);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		write_part(fd, start, end, sizes[i], i);
		check_part(fd, start, end, sizes[(i + 1) % ARRAY_SIZE(sizes)], i);
	}
	close(fd);
}

/* Through the page cache, which is emptied in between */
static void work_on_all(const char *disk, uint64_t size)
{
	int fd = open(disk, O_RDWR);

	if (fd < 0)
		fail("open", disk);
	write_part(fd, 0, size, MAX_CHUNK, 99);
	if (fsync(fd) || ioctl(fd, BLKFLSBUF))
		fail("flush", disk);
	check_part(fd, 0, size, MAX_CHUNK, 99);
	close(fd);
}

static bool disk_works(const char *pattern)
{
	char path[256], disk[256];
	uint64_t size, part, i;
	int fd;

	snprintf(disk, sizeof(disk), "/dev/%s", find(path, sizeof(path), pattern));
	fd = open(disk, O_RDONLY);
	if (fd < 0 || ioctl(fd, BLKGETSIZE64, &size))
		fail("size", disk);
	close(fd);

	part = size / WORKERS / MAX_CHUNK * MAX_CHUNK;
	for (i = 0; i < WORKERS; i++) {
		if (fork())
			continue;
		work_on_part(disk, i * part, (i + 1) * part);
		_exit(0);
	}
	if (!part || !children_succeed())
		return false;
	work_on_all(disk, WORKERS * part);
	return true;
}

/* ---- network ---- */

static void set_address(const char *name, unsigned int net)
{
	struct ifreq request = { 0 };
	struct sockaddr_in *address = (struct sockaddr_in *)&request.ifr_addr;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	char text[16];

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	snprintf(text, sizeof(text), ADDRESS, net, 15u);
	address->sin_family = AF_INET;
	inet_pton(AF_INET, text, &address->sin_addr);
	if (fd < 0 || ioctl(fd, SIOCSIFADDR, &request))
		fail("address", name);
	inet_pton(AF_INET, "255.255.255.0", &address->sin_addr);
	if (ioctl(fd, SIOCSIFNETMASK, &request))
		fail("netmask", name);
	request.ifr_flags = IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &request))
		fail("up", name);
	close(fd);
}

/* What is sent to port 7 of this peer comes back. */
static bool echoes(const char *peer)
{
	if (!fork()) {
		setenv("NET_PORT", "7", 1);
		execl("/net_traffic", "net_traffic", "tcp", peer, MIB, NULL);
		fail("exec", "/net_traffic");
	}
	return children_succeed();
}

static bool network_works(const char *pattern)
{
	char path[256], file[300], mac[32] = "", peer[16];
	const char *name = find(path, sizeof(path), pattern);
	unsigned int net;
	FILE *f;

	snprintf(file, sizeof(file), "%s/address", path);
	f = fopen(file, "r");
	if (!f || !fgets(mac, sizeof(mac), f))
		fail("no address", file);
	fclose(f);
	net = strtoul(strrchr(mac, ':') + 1, NULL, 16);
	set_address(name, net);
	snprintf(peer, sizeof(peer), ADDRESS, net, 100u);
	return echoes(peer);
}

static bool sockets_work(const char *unused)
{
	(void)unused;
	return echoes("vsock:2");
}

/* ---- devices ---- */

static const struct kind {
	const char *name;
	const char *driver;
	const char *what;
	bool (*works)(const char *pattern);
} kinds[] = {
	{ "blk", "virtio_blk", "block/*", disk_works },
	{ "scsi", "virtio_scsi", "host*/target*/*/block/*", disk_works },
	{ "net", "virtio_net", "net/*", network_works },
	{ "vsock", "vmw_vsock_virtio_transport", "", sockets_work },
};

/* The last part of what a link of the device's points to */
static const char *link_of(const char *device, const char *name, char *target, size_t size)
{
	char path[256];
	ssize_t len;

	snprintf(path, sizeof(path), DEVICES "/%s/%s", device, name);
	len = readlink(path, target, size - 1);
	if (len < 0)
		return "none";
	target[len] = 0;
	return strrchr(target, '/') + 1;
}

static bool has(const char *device, unsigned int feature)
{
	char path[256], bits[FEATURES] = "";
	FILE *f;

	snprintf(path, sizeof(path), DEVICES "/%s/features", device);
	f = fopen(path, "r");
	if (!f || fread(bits, 1, sizeof(bits), f) <= feature)
		fail("no features", path);
	fclose(f);
	return bits[feature] == '1';
}

/* Not where an IOMMU lets the device see memory as it is */
static bool is_translated(const char *device)
{
	char path[256], type[32] = "";
	FILE *f;

	snprintf(path, sizeof(path), DEVICES "/%s/../iommu_group/type", device);
	f = fopen(path, "r");
	if (!f)
		return false;
	if (!fgets(type, sizeof(type), f))
		fail("no type", path);
	fclose(f);
	return !strncmp(type, "DMA", strlen("DMA"));
}

/* What the ring has in it: "dma" are addresses of the DMA API without an IOMMU. */
static const char *addresses(const char *device)
{
	char target[256];
	const char *iommu;

	if (!has(device, F_ACCESS_PLATFORM))
		return "physical";
	if (!is_translated(device))
		return "dma";
	iommu = link_of(device, "../iommu", target, sizeof(target));
	return strncmp(iommu, "dmar", strlen("dmar")) ? "iommu" : "intel-iommu";
}

static void work_on(const char *device, const struct kind *kind)
{
	char target[256], pattern[256], row[128];
	const char *transport = link_of(device, "../driver", target, sizeof(target));
	bool works;

	snprintf(row, sizeof(row), "%s|%s|%s%s|%s|%s", kind->name,
		 transport + strlen("virtio-"),
		 has(device, F_RING_PACKED) ? "packed" : "split",
		 has(device, F_IN_ORDER) ? " in order" : "",
		 has(device, F_VERSION_1) ? "modern" : "legacy",
		 addresses(device));
	snprintf(pattern, sizeof(pattern), DEVICES "/%s/%s", device, kind->what);
	works = kind->works(pattern);
	say("# row %s\n%s - %s: what is sent comes back the same: %s\n", row,
	    works ? "ok" : "not ok", getenv("machine") ?: "guest", row);
	_exit(!works);
}

static void start(const char *device)
{
	char target[256];
	const char *driver = link_of(device, "driver", target, sizeof(target));
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(driver, kinds[i].driver) && !fork())
			work_on(device, &kinds[i]);
}

static void make_system(void)
{
	struct termios line;

	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	close(STDERR_FILENO);
	if (open("/dev/console", O_RDWR) != STDIN_FILENO || dup(STDIN_FILENO) != STDOUT_FILENO ||
	    dup(STDIN_FILENO) != STDERR_FILENO)
		_exit(1);
	/* Lines end as they were written. */
	if (!tcgetattr(STDOUT_FILENO, &line)) {
		line.c_oflag &= ~OPOST;
		tcsetattr(STDOUT_FILENO, TCSANOW, &line);
	}
	/* No message of the kernel's in the middle of them, but of errors, as with "quiet" */
	klogctl(KLOG_CONSOLE_LEVEL, NULL, KLOG_ERRORS);
}

int main(void)
{
	glob_t devices;
	size_t i;

	/* All disks of this machine would be lost. */
	if (getpid() != 1)
		return 1;
	make_system();
	if (!glob(DEVICES "/*", 0, NULL, &devices))
		for (i = 0; i < devices.gl_pathc; i++)
			start(strrchr(devices.gl_pathv[i], '/') + 1);
	say("# done %d\n", !children_succeed());
	sync();
	reboot(RB_AUTOBOOT);
	return 1;
}
