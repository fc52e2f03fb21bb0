import { expect, it } from "vitest"
import { decodeFrame, encodeFrame } from "./frames.ts"

/** As it comes from a socket: in the middle of a larger buffer, at an odd place. */
const arrived = (message: unknown) => {
  const frame = encodeFrame(message)
  const buffer = Buffer.alloc(frame.length + 3, 7)
  buffer.set(frame, 1)
  return decodeFrame(buffer.subarray(1, 1 + frame.length))
}

it("a frame brings bytes and numbers as they are, wherever they stand", () => {
  const message = {
    type: "patches",
    parts: [
      { bytes: Uint8Array.of(1, 0, 255), bits: Float32Array.of(0.5, -1, Number.NaN) },
      { bytes: new Uint8Array(), bits: new Float32Array() },
    ],
    text: "snow ☃, \u0001b3, \u0001\u0001",
    marked: ["\u0001b3", "\u0001"],
    none: null,
  }
  expect(arrived(message)).toEqual(message)
})

it("Node's buffers arrive as bytes, and of a view no more than it shows", () => {
  const whole = Buffer.from("secret open secret")
  expect(arrived(whole.subarray(7, 11))).toEqual(new Uint8Array(Buffer.from("open")))
  expect(encodeFrame(whole.subarray(7, 11)).length).toBeLessThan(20)
})

it("what is left out stays so", () => {
  expect(arrived({ id: 1, value: undefined })).toEqual({ id: 1 })
  expect(arrived(undefined)).toBe(null)
})

const framed = (json: string, rest: number[] = []) => {
  const text = Buffer.from(json, "latin1")
  const head = Buffer.alloc(4)
  head.writeUInt32LE(text.length)
  return Buffer.concat([head, text, Buffer.from(rest)])
}

it.each([
  ["nothing", Buffer.alloc(0)],
  ["a length alone", Buffer.from([255, 255, 255, 255])],
  ["no JSON", framed("{ nonsense")],
  ["no UTF-8", framed('"\xff"')],
  ["an array that is not there", framed('"\\u0001b4"', [1, 2])],
  ["an array of half a number", framed('"\\u0001f2"', [1, 2])],
  ["an array of no kind", framed('"\\u0001x2"', [1, 2])],
  ["bytes that belong to no array", framed("{}", [1, 2])],
])("%s is no frame", (_, bytes) => {
  expect(() => decodeFrame(bytes)).toThrow()
})
