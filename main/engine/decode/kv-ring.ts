/** Rows of a cache, by position: what a ring follows. `past` of them, before `length`, are seen. */
export type Rows = { readonly length: number; readonly past: number; row(i: number, position: number): Float32Array }

/** A ring grows by so many places: it is copied seldom, and few places are read in vain. */
const STEP = 64

/**
 * The rows that the next patch attends to, each head's side by side: [heads, places, d], as a CPU's decode graph takes
 * them. A product reads a head's rows up to twice as fast so as where the other heads' lie between them. Position p lies
 * at place p modulo `places`, so that a new row takes the place of the one that is out of reach and nothing moves.
 */
export class KvRing {
  /** Places a head has; `mask` says which are seen. */
  places = 0
  /** fp32 [places]: what is added to a place's score, 0 where it is seen. */
  mask = new Float32Array(0)
  private readonly arrays: Float32Array[]
  /** Positions whose rows are here: from `first` to before `end`. */
  private first = 0
  private end = 0

  /**
   * @param count arrays: keys and values of every layer
   * @param heads batch * kv heads
   * @param d head width
   * @param most rows that are ever seen at once
   */
  constructor(
    count: number,
    private readonly heads: number,
    private readonly d: number,
    private readonly most: number,
  ) {
    this.arrays = Array.from({ length: count }, () => new Float32Array(heads * most * d))
  }

  /** [heads, places, d] of array i, as `follow` left it. */
  array(i: number): Float32Array {
    return (this.arrays[i] as Float32Array).subarray(0, this.heads * this.places * this.d)
  }

  /** Forgets the rows from `position` on: others may come in their place. */
  truncate(position: number): void {
    this.end = Math.min(this.end, position)
    this.first = Math.min(this.first, this.end)
  }

  /** Takes in what is new in `cache`, and sets the mask. */
  follow(cache: Rows): void {
    const { heads, d } = this
    const { length, past } = cache
    const needed = length - past
    this.resize(Math.min(this.most, STEP * Math.max(1, Math.ceil(past / STEP))))
    if (needed < this.first || needed > this.end) this.first = this.end = needed
    for (let i = 0; i < this.arrays.length; i++) {
      const to = this.array(i)
      for (let position = this.end; position < length; position++) {
        const row = cache.row(i, position)
        const place = position % this.places
        for (let h = 0; h < heads; h++) to.set(row.subarray(h * d, (h + 1) * d), (h * this.places + place) * d)
      }
    }
    this.end = length
    this.first = Math.max(this.first, length - this.places)
    this.mask.fill(-1e30)
    for (let position = needed; position < length; position++) this.mask[position % this.places] = 0
  }

  /** Gives each head so many places. */
  private resize(places: number): void {
    const before = this.places
    if (places === before) return
    this.places = places
    this.mask = new Float32Array(places)
    // A ring that grows was never full: position p lies at place p, and the heads move apart from the last one on.
    if (places < before) this.first = this.end = 0
    for (const array of this.arrays)
      for (let h = this.heads - 1; h > 0; h--)
        array.copyWithin(h * places * this.d, h * before * this.d, (h * before + this.end) * this.d)
  }
}
