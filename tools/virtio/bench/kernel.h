/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_KERNEL_H
#define BENCH_KERNEL_H
/*
 * As much of a kernel as the core needs to run fast in a process.
 *
 * What costs time on an x86-64 kernel costs the same here: barriers, the
 * arithmetic between pages and addresses, calls that are out of line there.
 * Debugging and tracing are off, as in a kernel without them.
 *
 * Physical address and DMA address of memory are its address.
 */
#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define __KERNEL__
#define CONFIG_64BIT		1
#define CONFIG_SMP		1
#define CONFIG_HAS_DMA		1
#define CONFIG_NEED_SG_DMA_LENGTH 1
#define CONFIG_NEED_DMA_MAP_STATE 1
#ifndef __LITTLE_ENDIAN
#define __LITTLE_ENDIAN		1234
#endif

/* Compiler */

#undef unix
#define __force
#define __bitwise
#define __iomem
#define __user
#define __must_check
#define __init
#define __exit
#define __maybe_unused		__attribute__((unused))
#define __always_unused		__attribute__((unused))
#define __packed		__attribute__((packed))
#define __aligned(x)		__attribute__((aligned(x)))
#define ____cacheline_aligned	__aligned(64)
#define ____cacheline_aligned_in_smp __aligned(64)
#define __noreturn		__attribute__((noreturn))
#define __cold			__attribute__((cold))
#define __weak			__attribute__((weak))
#define __printf(a, b)		__attribute__((format(printf, a, b)))
#define __counted_by(m)
#define __always_inline		inline __attribute__((always_inline))
#define noinline		__attribute__((noinline))
#define fallthrough		__attribute__((fallthrough))
#define likely(x)		__builtin_expect(!!(x), 1)
#define unlikely(x)		__builtin_expect(!!(x), 0)
#define barrier()		asm volatile("" ::: "memory")
#define prefetch(p)		__builtin_prefetch(p)
#define prefetchw(p)		__builtin_prefetch(p, 1)
#define READ_ONCE(x)		(*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, v)	(*(volatile typeof(x) *)&(x) = (v))
#define data_race(x)		(x)
#define smp_load_acquire(p)	__atomic_load_n(p, __ATOMIC_ACQUIRE)
#define smp_store_release(p, v)	__atomic_store_n(p, v, __ATOMIC_RELEASE)
#define BUILD_BUG_ON(x)		((void)0)	/* the kernel build checks */
#define BUILD_BUG_ON_ZERO(x)	0
#define typecheck(t, x)		1
/* As with CONFIG_MITIGATION_RETPOLINE, which all distributions have */
#define INDIRECT_CALL_1(f, a, ...) \
	(likely((f) == (a)) ? a(__VA_ARGS__) : (f)(__VA_ARGS__))
#define INDIRECT_CALL_2(f, b, a, ...) \
	(likely((f) == (b)) ? b(__VA_ARGS__) : INDIRECT_CALL_1(f, a, __VA_ARGS__))
#define IS_ENABLED(x)		0
#define IS_REACHABLE(x)		0
#define might_sleep()		do { } while (0)
#define lockdep_assert_held(l)	((void)(l))

/* Types */

typedef unsigned char u8, __u8;
typedef unsigned short u16, __u16, __le16, __be16;
typedef unsigned int u32, __u32, __le32, __be32;
typedef unsigned long long u64, __u64, __le64, __be64;
typedef signed char s8;
typedef short s16;
typedef int s32;
typedef long long s64;
typedef unsigned int uint;
typedef unsigned int gfp_t;
typedef unsigned int umode_t;
typedef long ssize_t;
typedef u64 dma_addr_t;
typedef u64 sector_t;
typedef u64 phys_addr_t;
typedef s64 ktime_t;

#define U16_MAX			0xffffU
#define UINT_MAX		(~0U)
#define U32_MAX			0xffffffffU
#define BIT(n)			(1UL << (n))
#define BIT_ULL(n)		(1ULL << (n))
#define GENMASK(h, l)		((~0UL << (l)) & (~0UL >> (63 - (h))))
#define GENMASK_ULL(h, l)	GENMASK(h, l)
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define min(a, b)		({ typeof(a) _a = (a); typeof(b) _b = (b); _a < _b ? _a : _b; })
#define min3(a, b, c)		min(min(a, b), c)
#define max3(a, b, c)		max(max(a, b), c)
#define max(a, b)		({ typeof(a) _a = (a); typeof(b) _b = (b); _a > _b ? _a : _b; })
#define min_t(t, a, b)		min((t)(a), (t)(b))
#define max_t(t, a, b)		max((t)(a), (t)(b))
#define clamp(v, lo, hi)	min(max(v, lo), hi)
#define swap(a, b)		do { typeof(a) _t = (a); (a) = (b); (b) = _t; } while (0)
#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#define ALIGN(x, a)		(((x) + (a) - 1) & ~((typeof(x))(a) - 1))
#define round_up(x, a)		ALIGN(x, a)
#define roundup(x, y)		(DIV_ROUND_UP(x, y) * (y))
#define lower_32_bits(x)	((u32)(x))
#define upper_32_bits(x)	((u32)((u64)(x) >> 32))
#define le16_to_cpu(x)		(x)
#define le32_to_cpu(x)		(x)
#define le64_to_cpu(x)		(x)
#define cpu_to_le16(x)		((u16)(x))
#define cpu_to_le32(x)		((u32)(x))
#define cpu_to_le64(x)		((u64)(x))
#define be16_to_cpu(x)		__builtin_bswap16(x)
#define be32_to_cpu(x)		__builtin_bswap32(x)
#define be64_to_cpu(x)		__builtin_bswap64(x)
#define cpu_to_be16(x)		__builtin_bswap16(x)
#define cpu_to_be32(x)		__builtin_bswap32(x)
#define cpu_to_be64(x)		__builtin_bswap64(x)
#define container_of(p, type, m) \
	((type *)((char *)(p) - offsetof(type, m)))
#define container_of_const(p, type, m) container_of(p, type, m)
#define struct_size(p, m, n)	(sizeof(*(p)) + sizeof(*(p)->m) * (n))
#define array_size(a, b)	((size_t)(a) * (b))
#define is_power_of_2(n)	((n) && !((n) & ((n) - 1)))
#define ilog2(n)		(63 - __builtin_clzl(n))
#define fls(n)			((n) ? 32 - __builtin_clz(n) : 0)
#define order_base_2(n)		((n) > 1 ? ilog2((u64)(n) - 1) + 1 : 0)
#define roundup_pow_of_two(n)	(1UL << order_base_2(n))

#define EPERM			1
#define ENOENT			2
#define EIO			5
#define E2BIG			7
#define EAGAIN			11
#define ENOMEM			12
#define EBUSY			16
#define EINVAL			22
#define ENOSPC			28
#define ERANGE			34
#define EPROTO			71
#define EOVERFLOW		75
#define EOPNOTSUPP		95
#define MAX_ERRNO		4095
#define IS_ERR_VALUE(x)		unlikely((unsigned long)(x) >= -4095UL)
#define IS_ERR(p)		IS_ERR_VALUE(p)
#define IS_ERR_OR_NULL(p)	(!(p) || IS_ERR(p))
#define ERR_PTR(e)		((void *)(long)(e))
#define PTR_ERR(p)		((long)(p))

/* Messages and failures: there are none in a benchmark that is worth its name */

void bench_complain(const char *fmt, ...) __printf(1, 2) __cold;
void bench_fail(const char *what, const char *file, int line) __noreturn __cold;

#define BUG()			bench_fail("BUG", __FILE__, __LINE__)
#define BUG_ON(x)		do { if (unlikely(x)) BUG(); } while (0)
#define panic(fmt, ...)		BUG()
/* No end: stock's checks warn when the machine takes the CPU away for long. */
void bench_warn(const char *file, int line) __cold;
#define WARN_ON(x) \
	({ bool _w = !!(x); if (unlikely(_w)) bench_warn(__FILE__, __LINE__); _w; })
#define WARN_ON_ONCE(x)		WARN_ON(x)
#define WARN(x, fmt, ...)	WARN_ON(x)
#define WARN_ONCE(x, fmt, ...)	WARN_ON(x)
#define dev_err(d, ...)		((void)(d), bench_complain(__VA_ARGS__))
#define dev_warn(d, ...)	((void)(d), bench_complain(__VA_ARGS__))
#define dev_err_once		dev_err
#define dev_warn_once		dev_warn
#define dev_err_ratelimited	dev_err
#define dev_warn_ratelimited	dev_warn
#define dev_info(d, ...)	((void)(d))
#define dev_dbg(d, ...)		((void)(d))
#define pr_err(...)		bench_complain(__VA_ARGS__)
#define pr_warn(...)		bench_complain(__VA_ARGS__)
#define pr_debug(...)		do { } while (0)
#define pr_info(...)		do { } while (0)

int vsnprintf(char *buf, size_t size, const char *fmt, va_list args);

#define THIS_MODULE		((struct module *)NULL)
#define EXPORT_SYMBOL(s)	extern typeof(s) s
#define EXPORT_SYMBOL_GPL(s)	extern typeof(s) s
#define EXPORT_SYMBOL_NS_GPL(s, n) extern typeof(s) s
#define MODULE_LICENSE(s)	extern int bench_unused
#define MODULE_DESCRIPTION(s)	extern int bench_unused
#define MODULE_AUTHOR(s)	extern int bench_unused
#define MODULE_ALIAS(s)		extern int bench_unused

/* Barriers: x86-64 */

#define mb()			asm volatile("mfence" ::: "memory")
#define rmb()			asm volatile("lfence" ::: "memory")
#define wmb()			asm volatile("sfence" ::: "memory")
#define smp_mb()		asm volatile("lock; addl $0,-4(%%rsp)" ::: "memory", "cc")
#define smp_rmb()		barrier()
#define smp_wmb()		barrier()
#define virt_mb()		smp_mb()
#define virt_rmb()		smp_rmb()
#define virt_wmb()		smp_wmb()
#define dma_rmb()		barrier()
#define dma_wmb()		barrier()
#define virt_store_mb(x, v)	((void)__atomic_exchange_n(&(x), v, __ATOMIC_SEQ_CST))
#define smp_store_mb		virt_store_mb
#define cpu_relax()		asm volatile("pause" ::: "memory")

/* Lists, locks, time */

struct list_head {
	struct list_head *next, *prev;
};

static inline void INIT_LIST_HEAD(struct list_head *h)
{
	h->next = h;
	h->prev = h;
}

static inline void list_add_tail(struct list_head *e, struct list_head *h)
{
	e->prev = h->prev;
	e->next = h;
	h->prev->next = e;
	h->prev = e;
}

static inline void list_del(struct list_head *e)
{
	e->prev->next = e->next;
	e->next->prev = e->prev;
}

#define list_entry(p, type, m)	container_of(p, type, m)
#define list_for_each_entry(p, h, m) \
	for (p = list_entry((h)->next, typeof(*p), m); &p->m != (h); \
	     p = list_entry(p->m.next, typeof(*p), m))

typedef struct { int unused; } spinlock_t;
struct mutex { int unused; };
struct completion { int unused; };

#define spin_lock_init(l)	((void)(l))
#define spin_lock(l)		((void)(l))
#define spin_unlock(l)		((void)(l))
#define spin_lock_irq(l)	((void)(l))
#define spin_unlock_irq(l)	((void)(l))
#define spin_lock_irqsave(l, f)	((void)(l), (f) = 0)
#define spin_unlock_irqrestore(l, f) ((void)(l), (void)(f))
#define xchg(p, v)		__atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)
#define synchronize_rcu()	do { } while (0)

/* Work is done at once, which stands for a kernel with an idle CPU. */

struct work_struct {
	void (*fn)(struct work_struct *work);
};

struct delayed_work {
	struct work_struct work;
};

#define HZ			100
#define system_wq		NULL
#define INIT_WORK(w, f)		((w)->fn = (f))
#define INIT_DELAYED_WORK(w, f)	INIT_WORK(&(w)->work, f)
#define queue_work(q, w)	((w)->fn(w))
#define queue_delayed_work(q, w, t) ((void)(w))
#define cancel_work_sync(w)	((void)(w))
#define cancel_delayed_work_sync(w) ((void)(w))

ktime_t ktime_get(void);
#define ktime_sub(a, b)		((a) - (b))
#define ktime_to_ms(t)		((t) / 1000000)

typedef int irqreturn_t;
#define IRQ_NONE		0
#define IRQ_HANDLED		1

/* Devices */

struct dentry;
struct module;
struct cpumask;

struct device {
	struct device *parent;
	u64 *dma_mask;
	u64 bus_dma_limit;
};

struct device_driver {
	const char *name;
};

struct virtio_device_id {
	__u32 device;
	__u32 vendor;
};

static inline int dev_to_node(const struct device *dev)
{
	return -1;
}

static inline bool xen_domain(void)
{
	return false;
}

/* Memory */

#define PAGE_SHIFT		12
#define PAGE_SIZE		4096UL
#define PAGE_MASK		(~(PAGE_SIZE - 1))
#define PAGE_ALIGN(x)		ALIGN(x, PAGE_SIZE)
#define SMP_CACHE_BYTES		64
#define L1_CACHE_BYTES		64
#define NUMA_NO_NODE		(-1)
#define PAGE_ALLOC_COSTLY_ORDER	3

#define __GFP_HIGHMEM		0x1U
#define __GFP_ZERO		0x2U
#define __GFP_NOWARN		0x4U
#define __GFP_NORETRY		0x8U
#define __GFP_COMP		0x10U
#define __GFP_RETRY_MAYFAIL	0x20U
#define __GFP_DIRECT_RECLAIM	0x40U
#define GFP_ATOMIC		0x100U
#define GFP_KERNEL		(0x200U | __GFP_DIRECT_RECLAIM)
#define GFP_NOWAIT		0x400U

#define gfpflags_allow_blocking(g) (!!((g) & __GFP_DIRECT_RECLAIM))

struct page {
	u64 unused[8];
};

extern unsigned long vmemmap_base, page_offset_base, phys_base;

#define vmemmap			((struct page *)vmemmap_base)
#define page_to_pfn(p)		((unsigned long)((p) - vmemmap))
#define pfn_to_page(n)		(vmemmap + (n))
#define page_to_phys(p)		((phys_addr_t)page_to_pfn(p) << PAGE_SHIFT)
#define offset_in_page(p)	((unsigned long)(p) & ~PAGE_MASK)
#define PageHighMem(p)		false
#define PFN_PHYS(n)		((phys_addr_t)(n) << PAGE_SHIFT)

/* What the base's bvec.h names in functions that nobody calls here */
void *kmap_local_page(struct page *page);
void memcpy_from_page(char *to, struct page *page, size_t offset, size_t len);
void memcpy_to_page(struct page *page, size_t offset, const char *from, size_t len);
void memzero_page(struct page *page, size_t offset, size_t len);

/* The kernel's image has an address space of its own above the linear one. */
#define KERNEL_IMAGE		0xffffffff80000000UL

static inline unsigned long virt_to_phys(const volatile void *addr)
{
	unsigned long x = (unsigned long)addr;
	unsigned long y = x - KERNEL_IMAGE;

	return y + (x > y ? phys_base : KERNEL_IMAGE - page_offset_base);
}

#define virt_to_page(p)		pfn_to_page(virt_to_phys(p) >> PAGE_SHIFT)
#define page_address(p)		((void *)(page_to_phys(p) + page_offset_base))

void *malloc(size_t size);
void *calloc(size_t n, size_t size);
void *aligned_alloc(size_t align, size_t size);
void free(void *p);
void exit(int status) __noreturn;
void *memset(void *p, int c, size_t n);
void *memcpy(void *to, const void *from, size_t n);
int strcmp(const char *a, const char *b);
size_t strlen(const char *s);
char *strstr(const char *s, const char *t);

static inline void *kmalloc(size_t size, gfp_t gfp)
{
	return gfp & __GFP_ZERO ? calloc(1, size) : malloc(size);
}

#define kzalloc(s, g)		kmalloc(s, (g) | __GFP_ZERO)
#define kcalloc(n, s, g)	kmalloc((size_t)(n) * (s), (g) | __GFP_ZERO)
#define kmalloc_array(n, s, g)	kmalloc((size_t)(n) * (s), g)
#define kmalloc_node(s, g, n)	kmalloc(s, g)
#define kzalloc_node(s, g, n)	kzalloc(s, g)
#define kcalloc_node(n, s, g, o) kcalloc(n, s, g)
#define kmalloc_array_node(n, s, g, o) kmalloc_array(n, s, g)
#define kvmalloc_array		kmalloc_array
#define kvmalloc		kmalloc
#define kvzalloc		kzalloc
#define kvcalloc		kcalloc
#define kvcalloc_node		kcalloc_node
#define kvzalloc_node		kzalloc_node
#define kvmalloc_node		kmalloc_node
#define kvmalloc_array_node	kmalloc_array_node
#define kfree(p)		free((void *)(p))
#define kvfree(p)		free((void *)(p))

void *alloc_pages_exact(size_t size, gfp_t gfp);
void *alloc_pages_exact_nid(int nid, size_t size, gfp_t gfp);
void free_pages_exact(void *p, size_t size);

/* Scatterlists */

struct scatterlist {
	unsigned long page_link;
	unsigned int offset;
	unsigned int length;
	dma_addr_t dma_address;
	unsigned int dma_length;
	unsigned int dma_flags;
};

#define SG_CHAIN		1UL
#define SG_END			2UL
#define sg_is_chain(s)		((s)->page_link & SG_CHAIN)
#define sg_is_last(s)		((s)->page_link & SG_END)
#define sg_chain_ptr(s)		((struct scatterlist *)((s)->page_link & ~(SG_CHAIN | SG_END)))
#define sg_page(s)		((struct page *)((s)->page_link & ~(SG_CHAIN | SG_END)))
#define sg_phys(s)		(page_to_phys(sg_page(s)) + (s)->offset)
#define sg_dma_address(s)	((s)->dma_address)
#define sg_dma_len(s)		((s)->dma_length)
#define for_each_sg(l, s, n, i) \
	for (i = 0, s = (l); i < (n); i++, s = sg_next(s))

/* Out of line in the kernel, too */
int sg_nents(struct scatterlist *sg);
struct scatterlist *sg_next(struct scatterlist *sg);

static inline void sg_set_page(struct scatterlist *sg, struct page *page,
			       unsigned int len, unsigned int offset)
{
	sg->page_link = (sg->page_link & (SG_CHAIN | SG_END)) |
			(unsigned long)page;
	sg->offset = offset;
	sg->length = len;
}

static inline void sg_set_buf(struct scatterlist *sg, const void *p,
			      unsigned int len)
{
	sg_set_page(sg, virt_to_page(p), len, offset_in_page(p));
}

static inline void sg_mark_end(struct scatterlist *sg)
{
	sg->page_link = (sg->page_link | SG_END) & ~SG_CHAIN;
}

void sg_init_table(struct scatterlist *sg, unsigned int n);
void sg_init_one(struct scatterlist *sg, const void *p, unsigned int len);

/* DMA: the direct mapping of a machine without an IOMMU, no bounce buffers */

enum dma_data_direction {
	DMA_BIDIRECTIONAL,
	DMA_TO_DEVICE,
	DMA_FROM_DEVICE,
	DMA_NONE,
};

#define DMA_MAPPING_ERROR	(~(dma_addr_t)0)
#define DMA_ATTR_SKIP_CPU_SYNC	BIT(5)

dma_addr_t dma_map_page_attrs(struct device *dev, struct page *page,
			      size_t offset, size_t size,
			      enum dma_data_direction dir, unsigned long attrs);
void dma_unmap_page_attrs(struct device *dev, dma_addr_t addr, size_t size,
			  enum dma_data_direction dir, unsigned long attrs);
void *dma_alloc_coherent(struct device *dev, size_t size, dma_addr_t *addr,
			 gfp_t gfp);
void dma_free_coherent(struct device *dev, size_t size, void *p,
		       dma_addr_t addr);

static inline int dma_mapping_error(struct device *dev, dma_addr_t addr)
{
	return unlikely(addr == DMA_MAPPING_ERROR) ? -ENOMEM : 0;
}

static inline dma_addr_t dma_map_single_attrs(struct device *dev, void *p,
					      size_t size,
					      enum dma_data_direction dir,
					      unsigned long attrs)
{
	return dma_map_page_attrs(dev, virt_to_page(p), offset_in_page(p), size,
				  dir, attrs);
}

#define dma_map_page(d, p, o, s, r)	dma_map_page_attrs(d, p, o, s, r, 0)
#define dma_map_single(d, p, s, r)	dma_map_single_attrs(d, p, s, r, 0)
#define dma_unmap_page(d, a, s, r)	dma_unmap_page_attrs(d, a, s, r, 0)
#define dma_unmap_single(d, a, s, r)	dma_unmap_page_attrs(d, a, s, r, 0)
#define dma_unmap_single_attrs		dma_unmap_page_attrs
#define dma_max_mapping_size(d)		((size_t)-1)
#define dma_need_sync(d, a)		false
#define dma_sync_single_for_cpu(d, a, s, r)	((void)(d))
#define dma_sync_single_for_device(d, a, s, r)	((void)(d))
#define dma_sync_single_range_for_cpu(d, a, o, s, r)	((void)(d))
#define dma_sync_single_range_for_device(d, a, o, s, r)	((void)(d))
#define kmsan_handle_dma(p, o, s, r)	do { } while (0)
#define kmemleak_ignore(p)		((void)(p))

#endif
