import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { makeFolder } from "./make-folder.ts"

const work = mkdtempSync(join(tmpdir(), "megabyte-make-folder-"))
afterAll(() => rmSync(work, { recursive: true, force: true }))

describe("a folder", () => {
  it("is made with those above it, and may be there already", () => {
    for (let again = 0; again < 2; again++) makeFolder(join(work, "a/b/c"), 0o700)
    expect(statSync(join(work, "a/b/c")).isDirectory()).toBe(true)
    if (process.platform !== "win32") expect(statSync(join(work, "a")).mode & 0o777).toBe(0o700)
  })
  it("that cannot be made is told as the system tells it", () => {
    writeFileSync(join(work, "file"), "")
    expect(() => makeFolder(join(work, "file"))).toThrow(/EEXIST/)
    expect(() => makeFolder(join(work, "file/below/it"))).toThrow(/ENOTDIR|ENOENT/)
  })
  it.runIf(process.platform === "linux")("is never made under /proc, which is told at once", () => {
    expect(() => makeFolder("/proc/no/such/folder")).toThrow(/ENOENT/)
  })
})
