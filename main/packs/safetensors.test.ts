import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { describe, expect, it } from "vitest"
import { parseSafetensors, readWeights } from "./safetensors.ts"

const file = (header: unknown, data = 8, length?: bigint) => {
  const json = Buffer.from(typeof header === "string" ? header : JSON.stringify(header))
  const size = Buffer.alloc(8)
  size.writeBigUInt64LE(length ?? BigInt(json.length))
  return Buffer.concat([size, json, Buffer.alloc(data)])
}
const tensor = (from: number, to: number, more = {}) => ({
  dtype: "F32",
  shape: [1],
  data_offsets: [from, to],
  ...more,
})

describe("a safetensors file from anywhere", () => {
  it("is read when it is sound", () => {
    const tensors = parseSafetensors(file({ __metadata__: { a: "b" }, x: tensor(0, 4), y: tensor(4, 8) }), "f")
    expect([...tensors.keys()]).toEqual(["x", "y"])
    expect(tensors.get("y")?.data.length).toBe(4)
  })
  it("is read piece by piece, as Node reads less than 2 GiB at once", () => {
    const path = join(mkdtempSync(join(tmpdir(), "megabyte-weights-")), "weights.safetensors")
    const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i)
    writeFileSync(path, bytes)
    for (const piece of [1, 300, 1000, 4000]) expect(readWeights(path, piece)).toEqual(bytes)
    rmSync(dirname(path), { recursive: true })
    expect(() => readWeights(path)).toThrow(/cannot be read \(ENOENT\)/)
  })
  it.each<[string, Buffer, RegExp]>([
    ["is too short", Buffer.alloc(3), /shorter than its header/],
    ["has a header that reaches past its end", file({}, 0, 1000n), /header reaches past the end/],
    ["has a header of 2^63 bytes", file({}, 0, 2n ** 63n), /header reaches past the end/],
    ["has a header that is not JSON", file("{{{"), /not JSON/],
    ["has a header that is a list", file("[1]"), /not JSON/],
    ["has a tensor past its end", file({ x: tensor(0, 400, { shape: [100] }) }), /"x" reaches past the end/],
    ["has overlapping tensors", file({ x: tensor(0, 4), y: tensor(2, 6), z: tensor(6, 8) }), /size|overlaps/],
    ["has the same bytes twice", file({ x: tensor(0, 4), y: tensor(0, 4) }, 4), /overlaps/],
    ["has a gap", file({ x: tensor(4, 8) }), /gap/],
    ["has bytes at the end", file({ x: tensor(0, 4) }, 8), /after the last tensor/],
    ["has a foreign type", file({ x: tensor(0, 8, { dtype: "F64" }) }), /"x" is of a type/],
    ["has a shape that does not fit", file({ x: tensor(0, 8) }), /"x" has not the size/],
    ["has a negative offset", file({ x: tensor(-4, 0) }), /"x"/],
    ["has offsets the wrong way round", file({ x: tensor(8, 4) }), /"x"/],
    ["has a tensor without an entry", file({ x: null }), /"x"/],
  ])("is refused with one line when it %s", (_, bytes, message) => {
    expect(() => parseSafetensors(bytes, "f")).toThrow(message)
    expect(() => parseSafetensors(bytes, "f")).toThrow(/^[^\n]+$/)
  })
})
