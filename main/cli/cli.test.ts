import { execFile } from "node:child_process"
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import sharp from "sharp"
import { afterAll, beforeAll, describe, expect, it } from "vitest"

const root = join(import.meta.dirname, "../..")
const work = mkdtempSync(join(tmpdir(), "megabyte-cli-"))
const pack = join(root, "test/parity/modern")
afterAll(() => rmSync(work, { recursive: true, force: true }))

/** Runs the real command line in its own process; on the CPU, so that no measurement of speed decides what is made. */
function megabyte(...given: string[]): Promise<{ code: number; out: Buffer; err: string }> {
  const runs = ["generate", "continue", "score"].includes(given[0] ?? "")
  const args = runs && !given.includes("--device") ? [...given, "--device", "cpu"] : given
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ["--import", "tsx", join(root, "main/cli/index.ts"), ...args],
      {
        encoding: "buffer",
        cwd: root,
        env: { ...process.env, MEGABYTE_HOME: join(work, "home"), MEGABYTE_CACHE: join(work, "cache") },
      },
      (error, out, err) => resolve({ code: error ? Number(error.code) : 0, out, err: err.toString() }),
    )
  })
}

describe("megabyte generate", () => {
  it("prints the prompt and exactly the bytes asked for, the same for the same seed", async () => {
    const args = ["generate", "--pack", pack, "--prompt", "Hello", "--bytes", "37", "--seed", "9"]
    const [a, b] = await Promise.all([megabyte(...args), megabyte(...args)])
    expect(a.code).toBe(0)
    expect(a.out.subarray(0, 5).toString()).toBe("Hello")
    expect(a.out.length).toBe(5 + 37 + 1)
    expect(b.out).toEqual(a.out)
    expect(a.err).toMatch(/37 bytes, \d+ bytes\/s, first patch after .* seed 9/)
  })
  it("helps when asked to, whatever else was said", async () => {
    const asked = await Promise.all([megabyte(), megabyte("--help"), megabyte("continue", "tale.txt", "--help")])
    for (const { code, out } of asked) expect([code, out.toString()]).toEqual([0, asked[0]?.out.toString()])
    expect(asked[0]?.out.toString()).toContain("megabyte continue FILE")
  })
  it("writes every variation to a file of its own, and says so as JSON", async () => {
    const out = join(work, "made.bin")
    const r = await megabyte("generate", "--pack", pack, "--bytes", "20", "--variations", "3", "--out", out, "--json")
    const json = JSON.parse(r.out.toString())
    expect(json.results.map((x: { file: string }) => x.file)).toEqual([1, 2, 3].map((i) => join(work, `made-${i}.bin`)))
    for (const x of json.results) expect(readFileSync(x.file)).toEqual(Buffer.from(x.base64, "base64"))
  })
})

describe("megabyte generate, with a pack of stories", () => {
  const story = join(root, "test/parity/story")
  it("writes until the story ends, without its end mark, and says so", async () => {
    const args = ["generate", "--pack", story, "--style", "other", "--until-end", "--temperature", "2", "--seed", "5"]
    const { code, out } = await megabyte(...args, "--json")
    const { reason, results } = JSON.parse(out.toString())
    expect([code, reason]).toEqual([0, "end"])
    const bytes = Buffer.from(results[0].base64, "base64")
    expect(bytes.filter((byte) => byte < 3)).toHaveLength(0)
  })
  it("never draws the mark without that wish, and refuses a style or a preset that there is not", async () => {
    const args = ["generate", "--pack", story, "--temperature", "2", "--seed", "5", "--json"]
    const { reason, bytes, results } = JSON.parse((await megabyte(...args, "--bytes", "700")).out.toString())
    expect([reason, bytes]).toEqual(["length", 700])
    expect(Buffer.from(results[0].base64, "base64").filter((byte) => byte < 3)).toHaveLength(0)
    const refused = await Promise.all([
      megabyte(...args, "--style", "poem"),
      megabyte(...args, "--preset", "mild"),
      megabyte("generate", "--pack", pack, "--guidance", "2"),
    ])
    expect(refused.map(({ code }) => code)).toEqual([2, 2, 2])
    expect(refused[2]?.err).toContain("takes no --guidance")
    expect(refused[0]?.err).toContain(`"any", "other"`)
    expect(refused[1]?.err).toContain("tame, default or wild")
  })
})

describe("megabyte continue", () => {
  it.each([0, 1, 7, 8, 9, 100])("goes on from byte %i of a file and keeps what came before", async (keep) => {
    const file = join(work, `in-${keep}.bin`)
    const out = join(work, `out-${keep}.bin`)
    const bytes = Buffer.from(Array.from({ length: 100 }, (_, i) => (i * 37) & 255))
    writeFileSync(file, bytes)
    const r = await megabyte("continue", file, "--keep", String(keep), "--bytes", "11", "--pack", pack, "--out", out)
    expect(r.code).toBe(0)
    const made = readFileSync(out)
    expect(made.length).toBe(keep + 11)
    expect(made.subarray(0, keep)).toEqual(bytes.subarray(0, keep))
  })
  it("says when only the end of a long file is looked at", async () => {
    const file = join(work, "long.bin")
    writeFileSync(file, Buffer.alloc(5000, 7))
    const r = await megabyte("continue", file, "--bytes", "5", "--pack", pack)
    expect(r.code).toBe(0)
    expect(r.err).toMatch(/longer than the model's context: its last 512 of 5000 bytes/)
  })
})

describe("megabyte score", () => {
  it("agrees with itself per byte and in total", async () => {
    const file = join(work, "score.bin")
    writeFileSync(file, Buffer.from(Array.from({ length: 301 }, (_, i) => (i * i) & 255)))
    const json = JSON.parse(
      (await megabyte("score", file, "--pack", pack, "--precision", "fp32", "--json")).out.toString(),
    )
    expect(json.perByte).toHaveLength(301)
    const mean = json.perByte.reduce((a: number, b: number) => a + b, 0) / 301
    expect(json.bitsPerByte).toBeCloseTo(mean, 9)
  })
  it("prints the loss of the other precisions against the first", async () => {
    const r = await megabyte("score", join(root, "package.json"), "--pack", pack, "--precision", "fp32,int8")
    expect(r.out.toString()).toMatch(/fp32 .*\n.*int8 .*against fp32\)/)
  })
  it("takes an empty file", async () => {
    const file = join(work, "empty")
    writeFileSync(file, "")
    expect((await megabyte("score", file, "--pack", pack)).code).toBe(0)
  })
})

describe("pictures", () => {
  const picture = join(root, "test/parity/picture") // 6 x 10 pixels, random weights
  const pixels = async (file: string) => [...(await sharp(file).removeAlpha().raw().toBuffer())]

  it("are made as PNG, enlarged without blur, and the same for the same seed", async () => {
    const [small, large] = [join(work, "small.png"), join(work, "large.png")]
    const args = ["generate", "--pack", picture, "--style", "other", "--seed", "5", "--out"]
    const runs = await Promise.all([megabyte(...args, small), megabyte(...args, large, "--enlarge", "4")])
    expect(runs.map((r) => r.code)).toEqual([0, 0])
    expect(await sharp(large).metadata()).toMatchObject({ width: 24, height: 40 })
    expect([...(await sharp(large).resize(6, 10, { kernel: "nearest" }).raw().toBuffer())]).toEqual(await pixels(small))
  })
  it("go on from a row of any file, and keep the rows above", async () => {
    const file = join(work, "photo.jpg")
    const out = join(work, "continued.png")
    await sharp({ create: { width: 120, height: 200, channels: 3, background: "#37a" } })
      .jpeg()
      .toFile(file)
    const r = await megabyte("continue", file, "--pack", picture, "--keep", "50%", "--out", out)
    expect(r.err).toContain("120×200 → 6×10")
    const kept = await sharp(file).resize(6, 10).raw().toBuffer()
    expect((await pixels(out)).slice(0, 90)).toEqual([...kept.subarray(0, 90)])
    expect(await pixels(out)).toHaveLength(180)
  })
  it("are scored as what the model sees of them", async () => {
    const r = await megabyte("score", join(work, "photo.jpg"), "--pack", picture, "--json")
    expect(JSON.parse(r.out.toString()).perByte).toHaveLength(180)
  })
})

describe("sounds", () => {
  const sound = join(work, "sound")
  beforeAll(() => {
    mkdirSync(sound)
    const json = JSON.parse(readFileSync(join(pack, "pack.json"), "utf8"))
    const media = { rate: 8000, encoding: "mu-law", header: 8, styles: ["any", "organ"] }
    writeFileSync(join(sound, "pack.json"), JSON.stringify({ ...json, modality: "audio", media }))
    copyFileSync(join(pack, "weights.safetensors"), join(sound, "weights.safetensors"))
  })
  const samples = (file: string) => new Int16Array(new Uint8Array(readFileSync(file).subarray(-2000)).buffer)

  it("are made as WAV and FLAC of the seconds asked for", async () => {
    const [wav, flac] = [join(work, "tune.wav"), join(work, "tune.flac")]
    const args = ["generate", "--pack", sound, "--style", "organ", "--seconds", "0.125", "--seed", "2", "--out"]
    const runs = await Promise.all([megabyte(...args, wav), megabyte(...args, flac)])
    expect(runs.map((r) => r.code)).toEqual([0, 0])
    expect(readFileSync(wav).readUInt32LE(readFileSync(wav).indexOf("data") + 4)).toBe(2 * 1000)
    expect(samples(wav)).toHaveLength(1000)
    expect(readFileSync(flac).subarray(0, 4).toString()).toBe("fLaC")
  })
  it("go on from a file of any kind, whose own samples stay as they were", async () => {
    const out = join(work, "longer.wav")
    const r = await megabyte(
      "continue",
      join(root, "test/sounds/tone.mp3"),
      "--pack",
      sound,
      "--seconds",
      "0.1",
      "--out",
      out,
    )
    expect(r.err).toContain("MP3, 44.1 kHz")
    const again = join(work, "again.wav")
    const whole = await megabyte("continue", out, "--pack", sound, "--seconds", "0.1", "--out", again)
    expect(whole.code).toBe(0)
    const [first, second] = [readFileSync(out), readFileSync(again)]
    const data = (file: Buffer) => file.subarray(file.indexOf("data") + 8)
    expect(data(second).length).toBe(data(first).length + 1600)
    expect(data(second).subarray(0, data(first).length)).toEqual(data(first))
  })
  it("need a file of a kind that is written", async () => {
    expect(await megabyte("generate", "--pack", sound)).toMatchObject({ code: 2 })
    expect((await megabyte("generate", "--pack", sound, "--out", "a.mp3")).err).toContain("written as .wav or .flac")
    expect(
      (await megabyte("continue", join(root, "test/sounds/film.mp4"), "--pack", sound, "--out", "a.wav")).err,
    ).toContain("is a video")
  })
})

describe("a mistake gets one line and an exit code, never a stack", () => {
  const damaged = join(work, "damaged")
  beforeAll(() => {
    const make = (name: string, edit: (pack: Record<string, never>, weights: Buffer) => Buffer) => {
      const folder = join(damaged, name)
      mkdirSync(folder, { recursive: true })
      const json = JSON.parse(readFileSync(join(pack, "pack.json"), "utf8"))
      const weights = edit(json, readFileSync(join(pack, "weights.safetensors")))
      writeFileSync(join(folder, "pack.json"), JSON.stringify(json))
      writeFileSync(join(folder, "weights.safetensors"), weights)
    }
    make("truncated", (_, w) => w.subarray(0, w.length - 100))
    make("nan", (_, w) => {
      w.fill(0xff, w.length - 4)
      return w
    })
    make("other-shape", (json, w) => {
      ;(json as unknown as { model: { local: { ff: number } } }).model.local.ff = 96
      return w
    })
    make("inconsistent", (json, w) => {
      ;(json as unknown as { model: { patch: number } }).model.patch = 7
      return w
    })
    mkdirSync(join(damaged, "no-weights"))
    copyFileSync(join(pack, "pack.json"), join(damaged, "no-weights/pack.json"))
    mkdirSync(join(damaged, "not-json"))
    writeFileSync(join(damaged, "not-json/pack.json"), "{")
  })
  const d = (name: string) => ["generate", "--bytes", "5", "--pack", join(damaged, name)]
  it.each<[string, number, string[], RegExp]>([
    ["unknown command", 2, ["fly"], /unknown command "fly"/],
    ["unknown option", 2, ["generate", "--fast"], /Unknown option/],
    ["zero length", 2, ["generate", "--bytes", "0"], /--bytes must be a whole number from 1/],
    ["negative length", 2, ["generate", "--bytes=-4"], /--bytes must be/],
    ["length that is no number", 2, ["generate", "--bytes", "ten"], /--bytes must be/],
    ["temperature below zero", 2, ["generate", "--temperature=-1"], /--temperature must be/],
    ["top-p of zero", 2, ["generate", "--top-p", "0"], /--top-p must be/],
    ["foreign precision", 2, ["generate", "--precision", "fp64"], /--precision must be/],
    ["foreign device", 2, ["generate", "--device", "toaster"], /--device must be/],
    ["keep above the file", 2, ["continue", "package.json", "--keep", "120%"], /--keep must be/],
    ["no file named", 2, ["continue"], /a file or folder is missing/],
    ["file that is not there", 1, ["continue", "nowhere.txt"], /nowhere.txt cannot be read: .* gone/],
    ["folder as a file", 1, ["score", "main"], /main cannot be read: it is a folder/],
    ["missing pack", 1, ["generate", "--pack", "poetry"], /There is no pack "poetry"/],
    ["truncated weights", 1, d("truncated"), /are damaged: /],
    ["weights that are not numbers", 1, d("nan"), /holds values that are not numbers/],
    ["weights of another shape", 1, d("other-shape"), /do not fit their pack.json/],
    ["inconsistent pack.json", 1, d("inconsistent"), /not valid: .*multiple of the patch/],
    ["pack without weights", 1, d("no-weights"), /has no weights.safetensors/],
    ["pack.json that is not JSON", 1, d("not-json"), /it is not JSON/],
    ["import of nothing", 1, ["import", "main"], /There is no model pack in main/],
    ["full disk", 1, ["generate", "--pack", pack, "--bytes", "5", "--out", "/dev/full"], /the disk is full/],
    [
      "folder of --out that is not there",
      1,
      ["generate", "--pack", pack, "--bytes", "5", "--out", "/no/such/a"],
      /cannot be written: the folder .* is not there/,
    ],
  ])("%s", async (_, code, args, message) => {
    const r = await megabyte(...args)
    expect(r.err).toMatch(message)
    expect(r.err.trim().split("\n")).toHaveLength(1)
    expect(r.code).toBe(code)
  })
  it("imports a sound pack and then finds it by its name", async () => {
    expect((await megabyte("import", pack)).out.toString()).toBe("imported parity-modern\n")
    expect((await megabyte("packs")).out.toString()).toMatch(/^parity-modern {2}/m)
    expect((await megabyte("generate", "--pack", "parity-modern", "--bytes", "3")).code).toBe(0)
  })
})
