import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { openCheckpoint } from "./checkpoint.ts"
import { ImportError } from "./error.ts"
import { namedTensors } from "./named-tensors.ts"

const fixtures = join(import.meta.dirname, "../../test/import")
const folder = mkdtempSync(join(tmpdir(), "megabyte-import-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const written = (bytes: Uint8Array) => {
  const path = join(folder, "some.pt")
  writeFileSync(path, bytes)
  return path
}

/** Everything in a file: tensors by name, read. */
function readAll(path: string) {
  const checkpoint = openCheckpoint(path)
  try {
    return namedTensors(checkpoint.value).map(({ tensors, module }) => ({
      type: module?.type,
      tensors: new Map([...tensors].map(([name, t]) => [name, { shape: t.shape, values: [...t.read()] }])),
    }))
  } finally {
    checkpoint.close()
  }
}

/** The line with which a file is refused. */
function refusal(bytes: Uint8Array): string {
  try {
    readAll(written(bytes))
  } catch (error) {
    if (error instanceof ImportError) return error.message
    throw error
  }
  return ""
}

/** A zip archive of stored files, `method` 8 pretending that they are compressed. */
function archive(files: Record<string, Uint8Array | string>, method = 0): Buffer {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let at = 0
  for (const [name, given] of Object.entries(files)) {
    const data = Buffer.from(given)
    const local = Buffer.alloc(30)
    local.writeUInt32LE(0x04034b50, 0)
    local.writeUInt16LE(name.length, 26)
    const central = Buffer.alloc(46)
    central.writeUInt32LE(0x02014b50, 0)
    central.writeUInt16LE(method, 10)
    central.writeUInt32LE(data.length, 20)
    central.writeUInt32LE(data.length, 24)
    central.writeUInt16LE(name.length, 28)
    central.writeUInt32LE(at, 42)
    parts.push(local, Buffer.from(name), data)
    directory.push(central, Buffer.from(name))
    at += 30 + name.length + data.length
  }
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(Object.keys(files).length, 10)
  end.writeUInt32LE(Buffer.concat(directory).length, 12)
  end.writeUInt32LE(at, 16)
  return Buffer.concat([...parts, ...directory, end])
}
const pickled = (text: string, data: Record<string, Uint8Array> = {}) =>
  archive({ "a/data.pkl": Buffer.from(text, "latin1"), ...data })

/** {"w": a tensor of fp32 with this offset, shape [n] and stride} of a storage of 2 numbers. */
const tensorOf = (offset: number, length: number, stride: number) => {
  const byte = (n: number) => `K${String.fromCharCode(n)}`
  const storage = `(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpu${byte(2)}tQ`
  return `\x80\x02}X\x01\0\0\0wctorch._utils\n_rebuild_tensor_v2\n(${storage}${byte(offset)}${byte(length)}\x85${byte(stride)}\x85\x89)tRs.`
}
const two = { "a/data/0": new Uint8Array(new Float32Array([5, 6]).buffer) }

describe("reading what torch.save wrote", () => {
  it.each(["archive", "legacy"])("the %s format: views, shared storages, every type of number", (name) => {
    const [model, ...others] = readAll(join(fixtures, `${name}.pt`))
    const values = (tensor: string) => model?.tensors.get(tensor)?.values
    const base = Array.from({ length: 24 }, (_, i) => i)
    expect(values("whole")).toEqual(base)
    expect(model?.tensors.get("turned")?.shape).toEqual([6, 4])
    expect(values("turned")).toEqual(base.map((_, i) => (i % 4) * 6 + Math.floor(i / 4)))
    expect(values("part")).toEqual([8, 9, 10, 14, 15, 16])
    expect(values("parameter")).toEqual([0.5, -2])
    expect(values("half")).toEqual([0, 0.125, 0.25, 0.375])
    expect(values("brain")).toEqual([0, 0.125, 0.25, 0.375])
    expect(values("double")).toEqual([Math.fround(0.1)])
    expect(values("long")).toEqual([-3, 2 ** 40])
    expect(values("repeated")).toEqual([7, 7, 7])
    expect(values("scalar")).toEqual([1.5])
    expect(values("empty")).toEqual([])
    expect(others).toHaveLength(2) // the optimizer's, of two parameters
  })

  it("a module that was saved whole: parameters by their names, and nothing of it is run", () => {
    const [found] = readAll(join(fixtures, "module.pt"))
    expect(found?.type).toBe("torch.nn.modules.container.Sequential")
    expect([...(found?.tensors.keys() ?? [])]).toEqual(["0.weight", "0.bias", "1.0.weight", "1.0.bias"])
    expect(found?.tensors.get("0.weight")).toEqual({ shape: [3, 2], values: [0, 1, 2, 3, 4, 5] })
  })
})

describe("a hostile or damaged file gets one line", () => {
  it.each([
    ["cposix\nsystem\nX\x02\0\0\0id\x85R.", '"posix.system"'],
    ["cbuiltins\neval\nX\x01\0\0\x001\x85R.", '"builtins.eval"'],
    ["\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x02id\x85R.", '"os.system"'],
    ["ctorch.hub\nload\n)R.", '"torch.hub.load"'],
    ["ctorch.nn.modules.module\n_addindent.__globals__\n)R.", "_addindent"],
    ["c__main__\nEvil\n)\x81.", '"__main__.Evil"'],
  ])("that names %j", (code, name) => {
    const line = refusal(pickled(code.startsWith("\x80") ? code : `\x80\x02${code}`))
    expect(line).toContain(name)
    expect(line).toContain("nothing was run")
  })

  it.each([
    ["no steps", ""],
    ["no end", "\x80\x02}"],
    ["an unknown step", "\x80\x02\x82\x01."],
    ["too little on the stack", "\x80\x02\x85."],
    ["a string longer than the file", "\x80\x02X\xff\xff\xff\x7fab."],
    ["a string of 2^63 bytes", `\x80\x04\x8d${"\xff".repeat(7)}\x7fab.`],
    ["a number of 4 GB", "\x80\x02\x8b\xff\xff\xff\x7f."],
    ["steps without end", `\x80\x02${"N0".repeat(1_100_000)}N.`],
    ["a call of what is no function", "\x80\x02]]R."],
    ["a list that is none", "\x80\x02NNa."],
    ["a reference to another file", "\x80\x02(X\x04\0\0\0filetQ."],
    ["a foreign protocol", "\x80\x09N."],
  ])("with %s", (_, code) => expect(refusal(pickled(code))).toMatch(/^.+\.$/))

  it("with values that hold themselves", () => {
    expect(refusal(pickled("\x80\x02]q\0h\0a."))).toBe("")
    expect(refusal(pickled(`\x80\x02${"]".repeat(100_000)}${"a".repeat(99_999)}.`))).toBe("")
  })

  it("with a tensor past its storage, a cut storage, one of an unknown type", () => {
    expect(refusal(pickled(tensorOf(0, 2, 1), two))).toBe("")
    expect(refusal(pickled(tensorOf(0, 3, 1), two))).toContain("past its numbers")
    expect(refusal(pickled(tensorOf(1, 2, 1), two))).toContain("past its numbers")
    expect(refusal(pickled(tensorOf(0, 2, 2), two))).toContain("past its numbers")
    expect(refusal(pickled(tensorOf(0, 2, 1), { "a/data/0": new Uint8Array(7) }))).toContain("cut")
    expect(refusal(pickled(tensorOf(0, 2, 1)))).toContain('"data/0"')
    expect(refusal(pickled(tensorOf(0, 2, 1).replace("Float", "QInt8"), two))).toContain("QInt8")
  })

  it("that is another archive, compressed, or a program", () => {
    expect(refusal(archive({ "word/document.xml": "" }))).toContain("no data.pkl")
    expect(refusal(archive({ "a/data.pkl": "\x80\x02N." }, 8))).toContain("compressed")
    expect(refusal(archive({ "a/data.pkl": "\x80\x02N.", "a/constants.pkl": "" }))).toContain("TorchScript")
    expect(refusal(archive({ "a/data.pkl": "\x80\x02N.", "a/byteorder": "big" }))).toContain("big-endian")
    expect(refusal(Buffer.from("hello"))).toContain("neither")
    expect(refusal(new Uint8Array())).toContain("neither")
  })

  it("cut anywhere or with a byte changed anywhere: a line or other numbers, nothing else", () => {
    for (const name of ["archive", "legacy", "module"]) {
      const whole = readFileSync(join(fixtures, `${name}.pt`))
      for (let at = 0; at < whole.length; at += 67) {
        refusal(whole.subarray(0, at))
        const changed = Buffer.from(whole)
        changed[at] = (changed[at] as number) ^ (1 << (at % 8))
        refusal(changed)
      }
    }
  })
})
