/**
 * Messages as frames of a WebSocket, bytes in them as they are: the length of the JSON in 4 bytes, little-endian, the JSON,
 * then the arrays, one after the other. In the JSON an array is a string: MARK, its kind, how many bytes it has.
 */

/** Begins the string of an array; a string that begins with it anyway gets another one before it. */
const MARK = "\u0001"
/** How MARK stands in JSON. */
const ESCAPED = "\\u0001"
const kinds = { b: Uint8Array, f: Float32Array } as const
/** Bytes before the JSON. */
const HEAD = 4

/** A message as one frame; numbers that are none become null, as in JSON. */
export function encodeFrame(message: unknown): Uint8Array<ArrayBuffer> {
  const arrays: Uint8Array[] = []
  function replace(this: Record<string, unknown>, key: string, value: unknown): unknown {
    const own = this[key] // Node's buffers would become something else first
    if (own instanceof Uint8Array || own instanceof Float32Array) {
      arrays.push(new Uint8Array(own.buffer, own.byteOffset, own.byteLength))
      return `${MARK}${own instanceof Float32Array ? "f" : "b"}${own.byteLength}`
    }
    return typeof value === "string" && value.startsWith(MARK) ? MARK + value : value
  }
  const json = new TextEncoder().encode(JSON.stringify(message, replace) ?? "null")
  const length = arrays.reduce((sum, array) => sum + array.length, HEAD + json.length)
  const frame = new Uint8Array(length)
  new DataView(frame.buffer).setUint32(0, json.length, true)
  frame.set(json, HEAD)
  let at = HEAD + json.length
  for (const array of arrays) {
    frame.set(array, at)
    at += array.length
  }
  return frame
}

/** The message of a frame, with arrays of their own. @throws Error where it is none */
export function decodeFrame(data: Uint8Array): unknown {
  const frame = new Uint8Array(data.buffer, data.byteOffset, data.byteLength) // a buffer's slice would be no copy
  let at = HEAD + new DataView(frame.buffer, frame.byteOffset, frame.byteLength).getUint32(0, true)
  if (at > frame.length) throw new Error("a frame was cut")
  const json = new TextDecoder("utf-8", { fatal: true }).decode(frame.subarray(HEAD, at))
  const revive = (_: string, value: unknown): unknown => {
    if (typeof value !== "string" || !value.startsWith(MARK)) return value
    if (value.startsWith(MARK, 1)) return value.slice(1)
    const [, kind, size] = /^.([bf])(\d{1,10})$/s.exec(value) ?? []
    const end = at + Number(size)
    if (!(end <= frame.length)) throw new Error("a frame was cut")
    const bytes = frame.slice(at, end)
    at = end
    return new kinds[kind as keyof typeof kinds](bytes.buffer)
  }
  const message: unknown = JSON.parse(json, json.includes(ESCAPED) ? revive : undefined)
  if (at !== frame.length) throw new Error("a frame is too long")
  return message
}
