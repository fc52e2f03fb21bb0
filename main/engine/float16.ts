/** IEEE 754 half precision, for stores and devices that hold it; Node 20 has no Float16Array yet. */

/** fp16 bits -> numbers. */
export function fromHalf(bits: Uint16Array): Float32Array {
  const out = new Float32Array(bits.length)
  for (let i = 0; i < bits.length; i++) {
    const h = bits[i] as number
    const exponent = (h >> 10) & 31
    const fraction = h & 1023
    const sign = h & 0x8000 ? -1 : 1
    if (exponent === 31) out[i] = fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
    else if (exponent === 0) out[i] = sign * fraction * 2 ** -24
    else out[i] = sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
  }
  return out
}

/** Numbers -> fp16 bits, to nearest even; too large becomes infinity. */
export function toHalf(values: Float32Array): Uint16Array {
  const out = new Uint16Array(values.length)
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length)
  for (let i = 0; i < values.length; i++) {
    const b = bits[i] as number
    const sign = (b >>> 16) & 0x8000
    const magnitude = Math.abs(values[i] as number)
    if (Number.isNaN(magnitude)) out[i] = sign | 0x7e00
    else if (magnitude >= 65520) out[i] = sign | 0x7c00
    else if (magnitude < 2 ** -14) out[i] = sign | roundEven(magnitude * 2 ** 24)
    else {
      const m = b & 0x7fffffff
      out[i] = sign | ((m - (112 << 23) + 0xfff + ((m >>> 13) & 1)) >>> 13)
    }
  }
  return out
}

const roundEven = (x: number) => {
  const r = Math.round(x)
  return r - x === 0.5 && r % 2 ? r - 1 : r
}
