import { execFileSync } from "node:child_process"
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { withValues } from "./arguments.ts"
import { withInput } from "./input.ts"
import { assertWritable, writeWhole } from "./output.ts"

let work: string
beforeEach(() => {
  work = mkdtempSync(join(tmpdir(), "megabyte-files-"))
})
afterEach(() => rmSync(work, { recursive: true, force: true }))

describe("what a command reads", () => {
  it("may be a pipe, which is read once and left no copy", async () => {
    const pipe = join(work, "pipe")
    execFileSync("mkfifo", [pipe])
    const { exec } = await import("node:child_process")
    exec(`printf 'Once upon' > '${pipe}'`)
    let copy = ""
    const read = await withInput(pipe, async ({ name, path }) => {
      copy = path
      return [name, readFileSync(path, "utf8"), readFileSync(path, "utf8")]
    })
    expect(read).toEqual([pipe, "Once upon", "Once upon"])
    expect(existsSync(copy)).toBe(false)
  })
  it("is refused in one line where it is a folder or is not there", async () => {
    await expect(withInput(work, async () => {})).rejects.toThrow(`${work} cannot be read: it is a folder`)
    const gone = join(work, "gone")
    await expect(withInput(gone, async () => {})).rejects.toThrow(`${gone} cannot be read: the folder or file is gone`)
  })
})

describe("what a command writes", () => {
  it("goes where a link leads, and leaves the link", () => {
    const [real, link] = [join(work, "real.txt"), join(work, "link.txt")]
    writeFileSync(real, "before")
    symlinkSync(real, link)
    assertWritable(link)
    writeWhole(link, Buffer.from("after"))
    expect([readFileSync(real, "utf8"), lstatSync(link).isSymbolicLink()]).toEqual(["after", true])
  })
  it("is checked before the work: folders that are not there, folders in its place, files in the way", () => {
    writeFileSync(join(work, "file"), "")
    mkdirSync(join(work, "folder"))
    expect(() => assertWritable("/no/such/folder/x.wav")).toThrow(/: the folder \/no\/such\/folder is not there$/)
    expect(() => assertWritable(join(work, "folder"))).toThrow(/: it is a folder$/)
    expect(() => assertWritable(join(work, "file", "x.wav"))).toThrow(/file is not a folder$/)
    expect(() => assertWritable(join(work, "x.wav"))).not.toThrow()
  })
  it("is put aside where its folder has gone or is full by the end of the work", () => {
    let said = ""
    try {
      writeWhole(join(work, "gone", "x.txt"), Buffer.from("a long night's work"))
    } catch (error) {
      said = (error as Error).message
    }
    const aside =
      /cannot be written: the folder or file is gone; what was made lies in (\S+x\.txt), /.exec(said)?.[1] ?? ""
    expect(readFileSync(aside, "utf8")).toBe("a long night's work")
    rmSync(dirname(aside), { recursive: true })
    expect(existsSync(join(work, "x.wav"))).toBe(false)
  })
  it("may have a name as long as the system takes", () => {
    const long = join(work, `${"n".repeat(251)}.txt`)
    assertWritable(long)
    writeWhole(long, Buffer.from("text"))
    expect(readFileSync(long, "utf8")).toBe("text")
  })
})

describe("an option's value", () => {
  const options = { prompt: { type: "string" }, seed: { type: "string" }, json: { type: "boolean" } } as const
  it.each([
    [["--prompt", "- milk"], ["--prompt=- milk"]],
    [
      ["--prompt", "-h", "--json"],
      ["--prompt=-h", "--json"],
    ],
    [["--seed", "-1"], ["--seed=-1"]],
    [
      ["--prompt", "--json"],
      ["--prompt", "--json"],
    ],
    [
      ["--json", "-"],
      ["--json", "-"],
    ],
    [
      ["--", "--prompt", "x"],
      ["--", "--prompt", "x"],
    ],
  ])("may begin with a dash: %j", (given, joined) => expect(withValues(given, options)).toEqual(joined))
})
