import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { z } from "zod"
import { detailsOf, sentenceOf } from "./errors.ts"
import { Log } from "./log.ts"
import { spreadSafetyNet } from "./safety-net.ts"

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "megabyte-log-"))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

describe("the log", () => {
  it("is its owner's alone and has an entry a fault", () => {
    const log = new Log(home)
    log.write("a request", "Error: one\n    at somewhere")
    log.write("a timer", "two")
    const lines = readFileSync(log.path, "utf8").split("\n")
    expect(lines[0]).toMatch(/^\d{4}-\d\d-\d\dT.*Z a request: Error: one$/)
    expect(lines[2]).toMatch(/Z a timer: two$/)
    if (process.platform !== "win32") expect(statSync(log.path).mode & 0o777).toBe(0o600)
  })
  it("is put aside at a megabyte, and only three old ones are kept", () => {
    const log = new Log(home)
    for (let i = 0; i < 6; i++) {
      log.write("fill", String(i))
      writeFileSync(log.path, "x".repeat(2 ** 20))
    }
    log.write("last", "entry")
    expect(readdirSync(join(home, "logs")).sort()).toEqual(["", ".1", ".2", ".3"].map((end) => `megabyte.log${end}`))
  })
  it("never fails: a file where its folder should be costs a line alone", () => {
    writeFileSync(join(home, "logs"), "")
    const log = new Log(home)
    expect(() => log.write("a", "b")).not.toThrow()
    expect(existsSync(log.path)).toBe(false)
  })
})

describe("the safety net", () => {
  it("turns what nobody caught into a line and a notice, once for each fault", () => {
    const told: string[][] = []
    const log = new Log(home)
    const others = process.listeners("uncaughtException")
    process.removeAllListeners("uncaughtException") // vitest's own would fail the run
    const remove = spreadSafetyNet(log, (text, details) => told.push([text, details]))
    try {
      const fault = new Error("a pipe broke")
      process.emit("uncaughtException", fault)
      process.emit("uncaughtException", fault)
    } finally {
      remove()
      for (const listener of others) process.on("uncaughtException", listener)
    }
    expect(told).toHaveLength(1)
    expect(told[0]?.[0]).not.toContain("pipe")
    expect(told[0]?.[1]).toContain("a pipe broke")
    expect(readFileSync(log.path, "utf8")).toContain("uncaught exception: Error: a pipe broke")
  })
})

describe("a sentence for a person", () => {
  const zodError = z.object({ a: z.string() }).safeParse({}).error
  const full = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC", syscall: "write" })
  it.each([
    ["a sentence of our own", new Error("The pack is gone.\nmore"), "The pack is gone."],
    ["a full disk", full, "That did not work: the disk is full. Make room, then try again."],
    ["a string", "libsamplerate: bad ratio", "libsamplerate: bad ratio"],
  ])("of %s", (_, error, sentence) => expect(sentenceOf(error)).toBe(sentence))
  it.each([
    ["nothing", undefined],
    ["null", null],
    ["an object", { a: 1 }],
    ["an error without words", new Error("")],
    ["a fault in the program", new TypeError("x is not a function")],
    ["a message of zod", zodError],
    [
      "an error that throws when read",
      {
        toJSON: () => {
          throw new Error("no")
        },
      },
    ],
  ])("of %s is one of our own", (_, error) => {
    expect(sentenceOf(error)).toMatch(/^Something went wrong inside the app;[^\n]*\.$/)
    expect(typeof detailsOf(error)).toBe("string")
  })
})
