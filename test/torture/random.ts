/** Random numbers that a seed brings back (mulberry32), and what is done with them. */
export class Random {
  constructor(private state: number) {}

  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  /** A whole number from 0 to `below` - 1. */
  below(below: number): number {
    return Math.floor(this.next() * below)
  }
  of<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T
  }
}

/** Numbers that programs stumble over. */
const EDGES = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff]

/** A file as damage, mischief or chance would leave it: a few changes, mostly in its header. */
export function mutate(file: Buffer, random: Random): Buffer {
  let bytes = Buffer.from(file)
  const place = () => random.below(random.next() < 0.7 ? Math.min(bytes.length, 256) : bytes.length)
  for (let change = random.below(6) + 1; change > 0 && bytes.length > 8; change--) {
    const at = place()
    switch (random.below(8)) {
      case 0:
        bytes[at] = random.below(256)
        break
      case 1:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8))
        break
      case 2:
      case 3:
        if (at + 4 <= bytes.length)
          if (random.below(2)) bytes.writeUInt32LE(random.of(EDGES), at)
          else bytes.writeUInt32BE(random.of(EDGES), at)
        break
      case 4:
        bytes = bytes.subarray(0, Math.max(8, random.below(bytes.length)))
        break
      case 5: {
        const piece = bytes.subarray(at, at + random.below(64) + 1)
        bytes = Buffer.concat([bytes.subarray(0, at), ...Array(random.below(20) + 1).fill(piece), bytes.subarray(at)])
        break
      }
      case 6:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + random.below(16) + 1)])
        break
      case 7:
        bytes.fill(random.of([0, 255]), at, Math.min(bytes.length, at + random.below(64)))
    }
  }
  return bytes
}
