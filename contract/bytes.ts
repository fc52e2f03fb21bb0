/** A growing byte array; appending is amortized constant time. */
export class Bytes {
  private array: Uint8Array
  private length = 0

  constructor(capacity = 256) {
    this.array = new Uint8Array(capacity)
  }

  static of(bytes: Uint8Array): Bytes {
    const b = new Bytes(Math.max(256, 2 * bytes.length))
    b.append(bytes)
    return b
  }

  append(more: Uint8Array): void {
    if (this.length + more.length > this.array.length) {
      const larger = new Uint8Array(2 * (this.length + more.length))
      larger.set(this.view())
      this.array = larger
    }
    this.array.set(more, this.length)
    this.length += more.length
  }

  view(): Uint8Array {
    return this.array.subarray(0, this.length)
  }
}
