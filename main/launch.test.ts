import { execFile, spawn } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"

const launch = join(import.meta.dirname, "launch.js")
const pack = join(import.meta.dirname, "../test/parity/modern")
const work = mkdtempSync(join(tmpdir(), "megabyte-launch-"))
afterAll(() => rmSync(work, { recursive: true, force: true }))
/** A new folder. */
const folder = (name: string) => {
  mkdirSync(join(work, name), { recursive: true })
  return join(work, name)
}
const own = { MEGABYTE_HOME: folder("library"), MEGABYTE_CACHE: folder("cache") }

/** Runs `megabyte` as a person does who is in `cwd`, with an environment of nothing but `env`. */
const megabyte = (args: string[], env: Record<string, string> = own, cwd = work) =>
  new Promise<{ code: number; out: string; err: string }>((resolve) => {
    const options = { cwd, env: { PATH: process.env.PATH ?? "", ...env } }
    execFile(process.execPath, [launch, ...args], options, (error, out, err) =>
      resolve({ code: error ? Number(error.code) : 0, out, err }),
    )
  })

describe("the command line", () => {
  it("works from any folder and without HOME, and writes nothing anywhere but into its own folders", async () => {
    const [elsewhere, home] = [folder("elsewhere"), folder("home")]
    writeFileSync(join(elsewhere, "tsconfig.json"), "{ broken")
    writeFileSync(join(elsewhere, "tale.txt"), "Once")
    const args = ["continue", "tale.txt", "--pack", pack, "--bytes", "9", "--device", "cpu"]
    const r = await megabyte(args, { ...own, HOME: home }, elsewhere)
    expect(r.err).toMatch(/^9 bytes, [^\n]*\n$/)
    expect(r.out.startsWith("Once")).toBe(true)
    // onnxruntime would keep a number of this machine in the cache folder (files/no-telemetry.ts).
    expect([readdirSync(home), readdirSync(elsewhere)]).toEqual([[], ["tale.txt", "tsconfig.json"]])
    expect((await megabyte(["packs"])).code).toBe(0)
  })
  it("ends quietly where nobody reads on", async () => {
    const child = spawn(process.execPath, [launch, "generate", "--pack", pack, "--bytes", "400"], {
      env: { PATH: process.env.PATH ?? "", ...own },
    })
    let err = ""
    child.stderr.on("data", (data) => {
      err += data
    })
    child.stdout.once("data", () => child.stdout.destroy())
    expect(await new Promise((resolve) => child.on("close", resolve))).toBe(0)
    expect(err).not.toMatch(/\n {4}at /)
  })
  it.each([
    ["generate", "--pack", pack, "--bytes", "9"],
    ["score", launch, "--pack", pack],
    ["import", pack],
    ["devices"],
    ["serve", "--no-open"],
    ["start", "--no-open"],
  ])("says in one line that the home folder cannot be written: %s", async (...args) => {
    const file = join(work, "no-folder")
    writeFileSync(file, "")
    const r = await megabyte(args, { HOME: file })
    expect(r).toMatchObject({ code: 1, out: "" })
    expect(r.err).toMatch(/^megabyte: \S+ cannot be written: [^\n]*set MEGABYTE_(HOME|CACHE) [^\n]*\n$/)
  })
  it("says in one line that the port is taken", async () => {
    const taken = createServer().listen(0, "127.0.0.1")
    await new Promise((resolve) => taken.once("listening", resolve))
    const { port } = taken.address() as { port: number }
    const r = await megabyte(["start", "--port", String(port), "--no-open"])
    taken.close()
    expect(r).toEqual({ code: 1, out: "", err: expect.stringMatching(/^megabyte: port \d+ is taken by .*\n$/) })
  })
  it("explains npm start, and refuses what it does not know", async () => {
    expect((await megabyte(["start", "--help"])).out).toContain("npm start -- --port N")
    expect(await megabyte(["start", "--prot", "1"])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^.*prot.*\n$/),
    })
  })
})
