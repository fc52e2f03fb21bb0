import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { importPath } from "../host/packs/find.ts"
import { PackError } from "../packs/error.ts"
import { readPack } from "../packs/read.ts"

const fixtures = join(import.meta.dirname, "../../test/import")
const home = mkdtempSync(join(tmpdir(), "megabyte-import-"))
const places = { shipped: join(import.meta.dirname, "../../native-models"), home, cache: join(home, "cache") }
afterAll(() => rmSync(home, { recursive: true, force: true }))

const packs = () => readdirSync(join(home, "packs"))
/** The line with which a file is refused. */
const refusal = (path: string, options = {}) => {
  try {
    importPath(path, places, options)
  } catch (error) {
    if (error instanceof PackError) return error.message
    throw error
  }
  return ""
}

describe("a pack made of another package's weights", () => {
  it("tells its origin and its license, and that nothing was measured", () => {
    const name = importPath(join(fixtures, "bgpt-text.pth"), places, { heads: 1, license: "MIT" })
    const pack = readPack(join(home, "packs", name))
    expect(pack).toMatchObject({ name: "bgpt-text", modality: "text", license: "MIT", heldOut: { files: {} } })
    expect(pack.data).toContain("Imported from bgpt-text.pth, weights of bGPT")
  })

  it("makes files of the ending that is said, and takes no shipped pack's name", () => {
    const name = importPath(join(fixtures, "bgpt-text.pth"), places, { heads: 1, extension: "bmp", name: "Text" })
    expect(name).toBe("imported-text")
    expect(readPack(join(home, "packs", name))).toMatchObject({ modality: "bytes", media: { extension: ".bmp" } })
  })

  it("takes from a module that was saved whole what that tells of itself", () => {
    const name = importPath(join(fixtures, "megabyte-module.pt"), places)
    const { model } = readPack(join(home, "packs", name))
    expect(model).toMatchObject({ context: 8, global: { heads: 2, kv_heads: 1, head_width: 8 } })
  })

  it("is not made of what is no such model, or of heads that do not fit: one line, and nothing stays", () => {
    const before = packs()
    expect(refusal(join(fixtures, "archive.pt"))).toMatch(/^archive.pt was not imported. It holds no model/)
    expect(refusal(join(fixtures, "bgpt-text.pth"), { heads: 3 })).toContain("3 heads do not share")
    expect(refusal(join(fixtures, "bgpt-text.pth"))).toContain("heads")
    expect(refusal(join(home, "nowhere.pt"))).toContain("There is no model pack")
    expect(packs()).toEqual(before)
  })

  it("is made or refused in a line wherever the file is cut or changed", () => {
    const path = join(home, "changed.pt")
    const whole = readFileSync(join(fixtures, "megabyte-positions.pt"))
    for (let at = 3; at < whole.length; at += 997) {
      writeFileSync(path, whole.subarray(0, at))
      expect(refusal(path)).toMatch(/^changed.pt was not imported. .+\.$/)
      const changed = Buffer.from(whole)
      changed[at] = (changed[at] as number) ^ 0x41
      writeFileSync(path, changed)
      expect(refusal(path)).not.toContain("\n")
    }
    expect(existsSync(join(home, "packs", "changed.part"))).toBe(false)
  })
})
