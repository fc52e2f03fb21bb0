import { KvRing } from "./kv-ring.ts"

/** Keys and values of one decode, in arrays that are written in place and fed as they are: a step copies no cache. */
export class KvCache {
  /** Per layer [capacity, heads * d] for keys, then values; last what is carried, [capacity, carriedWidth], where something is. */
  private readonly arrays: Float32Array[]
  private readonly capacity: number
  /** Made when a CPU decodes: reading, scoring and a GPU do without. */
  private ring: KvRing | undefined
  /** Position of the row that lies first in the arrays. */
  private base = 0
  /** The next position. */
  length = 0
  /** Rows before it that are here; fewer than `length` where a device has made some and kept them. */
  held = 0

  /**
   * @param layers global layers
   * @param heads batch * kv heads
   * @param d head width
   * @param reach positions that attention sees, the newest included
   * @param carriedWidth batch * numbers that a position leaves for the next one beside its keys and values
   */
  constructor(
    private readonly layers: number,
    private readonly heads: number,
    private readonly d: number,
    private readonly reach: number,
    private readonly carriedWidth = 0,
  ) {
    // Twice the reach: rows move to the front once in `reach` steps, which costs next to nothing a step.
    this.capacity = 2 * reach
    const count = carriedWidth ? 2 * layers + 1 : 2 * layers
    this.arrays = Array.from({ length: count }, (_, i) => new Float32Array(this.capacity * this.widthOf(i)))
  }

  /** Numbers of a row of array i. */
  private widthOf(i: number): number {
    return i < 2 * this.layers ? this.heads * this.d : this.carriedWidth
  }

  /** Positions that the next row attends to, without itself. */
  get past(): number {
    return Math.min(this.length, this.reach - 1)
  }

  /** View of array `i` (2 * layer for keys, + 1 for values) over the `past` rows. */
  view(i: number): Float32Array {
    const end = this.length - this.base
    const width = this.widthOf(i)
    return this.array(i).subarray((end - this.past) * width, end * width)
  }

  /** Row [heads * head width] of array `i` at a position that is still here. */
  row(i: number, position: number): Float32Array {
    const width = this.widthOf(i)
    const at = (position - this.base) * width
    return this.array(i).subarray(at, at + width)
  }

  /** What the last position left for the next one; zeros before the first. */
  get carried(): Float32Array {
    return this.length > 0 ? this.row(2 * this.layers, this.length - 1) : new Float32Array(this.carriedWidth)
  }

  /** The `past` rows with each head's side by side: what the next patch reads. */
  byHead(): KvRing {
    this.ring ??= new KvRing(2 * this.layers, this.heads, this.d, this.reach - 1)
    this.ring.follow(this)
    return this.ring
  }

  private array(i: number): Float32Array {
    return this.arrays[i] as Float32Array
  }

  /** Appends `count` rows a layer: `rows(i)` is [count, its width] for array i. `count` is at most `reach`. */
  append(count: number, rows: (i: number) => Float32Array): void {
    if (this.length - this.base + count > this.capacity) this.moveToFront()
    const at = this.length - this.base
    for (let i = 0; i < this.arrays.length; i++) this.array(i).set(rows(i), at * this.widthOf(i))
    this.length += count
    this.held = this.length
  }

  /** One position on, its row being on a device alone. */
  advance(): void {
    this.length++
  }

  private moveToFront(): void {
    const keep = Math.min(this.reach, this.length - this.base)
    const end = this.length - this.base
    this.arrays.forEach((a, i) => {
      const width = this.widthOf(i)
      a.copyWithin(0, (end - keep) * width, end * width)
    })
    this.base = this.length - keep
  }

  /** Whether position `length` can be gone back to: all rows that it would see are still here. */
  canTruncate(length: number): boolean {
    return length <= this.held && Math.max(0, length - (this.reach - 1)) >= this.base
  }

  truncate(length: number): void {
    this.length = length
    this.held = length
    this.ring?.truncate(length)
  }

  clear(): void {
    this.base = 0
    this.truncate(0)
  }

  /** One-sequence caches of the same length side by side: [rows, sequences * width]. */
  static joined(sequences: readonly KvCache[]): KvCache {
    const [{ layers, heads, d, reach, carriedWidth }] = sequences as [KvCache]
    const count = sequences.length
    const all = new KvCache(layers, heads * count, d, reach, carriedWidth * count)
    // Of different lengths, where reading was stopped, or begun at different positions: the rows that all have.
    all.length = Math.min(...sequences.map(({ length }) => length))
    all.held = Math.min(...sequences.map(({ held }) => held))
    all.base = Math.min(all.length, Math.max(...sequences.map(({ base }) => base)))
    all.arrays.forEach((to, i) => {
      for (const [b, from] of sequences.entries()) {
        const width = from.widthOf(i)
        for (let position = all.base; position < all.length; position++)
          to.set(from.row(i, position), ((position - all.base) * count + b) * width)
      }
    })
    return all
  }

  /** Sequence b of `batch` alone. */
  only(b: number, batch: number): KvCache {
    const one = new KvCache(this.layers, this.heads / batch, this.d, this.reach, this.carriedWidth / batch)
    one.base = this.base
    one.length = this.length
    one.held = this.held
    this.arrays.forEach((from, i) => {
      const width = one.widthOf(i)
      for (let row = 0; row < this.length - this.base; row++) {
        const at = row * this.widthOf(i) + b * width
        one.array(i).set(from.subarray(at, at + width), row * width)
      }
    })
    return one
  }
}
