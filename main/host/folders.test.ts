import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, afterEach, describe, expect, it, vi } from "vitest"
import { checkWritable, usualFolder } from "./folders.ts"

const work = mkdtempSync(join(tmpdir(), "megabyte-folders-"))
afterAll(() => rmSync(work, { recursive: true, force: true }))
afterEach(() => void vi.unstubAllEnvs())

describe("the person's folders", () => {
  it("are made for the person alone, and left without a trace of the check", () => {
    const folder = join(work, "a/b")
    checkWritable(folder, "MEGABYTE_HOME")
    expect(readdirSync(folder)).toEqual([])
    if (process.platform !== "win32") expect(statSync(folder).mode & 0o777).toBe(0o700)
  })
  it("that cannot be written are told in one line, with what to set", () => {
    const file = join(work, "file")
    writeFileSync(file, "")
    for (const folder of [file, join(file, "below")])
      expect(() => checkWritable(folder, "MEGABYTE_CACHE")).toThrow(/^.*file.* cannot be written: .*MEGABYTE_CACHE.*$/)
  })
  it.runIf(process.platform === "linux")("lie where the system says, or below the person's home folder", () => {
    vi.stubEnv("XDG_CACHE_HOME", "relative")
    vi.stubEnv("XDG_DATA_HOME", work)
    vi.stubEnv("HOME", "/home/ada")
    expect(usualFolder("cache")).toBe("/home/ada/.cache/megabyte-studio")
    expect(usualFolder("data")).toBe(join(work, "megabyte-studio"))
    // Without HOME the list of users has it.
    vi.stubEnv("HOME", "")
    expect(usualFolder("cache")).toMatch(/^\/.+\/megabyte-studio$/)
  })
})
