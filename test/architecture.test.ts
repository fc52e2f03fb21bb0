import { spawnSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { describe, expect, it } from "vitest"

/** Who may import whom, type-only imports included: docs/architecture.md draws it. Tests may import anything. */
const root = join(import.meta.dirname, "..")

/** Of each folder: what its files may import besides their own folder. The first that fits a file counts. */
const borders: [folder: string, may: string[]][] = [
  ["contract", []],
  ["renderer/lib", ["contract"]],
  ["renderer/store", ["contract", "renderer/lib"]],
  ["renderer", ["contract"]],
  ["main/files", ["contract"]],
  ["main/process", ["contract"]],
  ["main/packs", ["contract", "main/files"]],
  ["main/engine/float16.ts", []],
  ["main/engine/onnxruntime.ts", ["main/files"]],
  ["main/engine/features", ["contract"]],
  ["main/engine/graph", ["contract", "main/engine/features", "main/engine/float16.ts"]],
  [
    "main/engine/compile",
    ["contract", "main/packs", "main/files", "main/engine/features", "main/engine/graph", "main/engine/float16.ts"],
  ],
  [
    "main/engine/decode",
    [
      "contract",
      "main/packs",
      "main/files",
      ...["features", "graph", "compile", "float16.ts", "onnxruntime.ts"].map((x) => `main/engine/${x}`),
    ],
  ],
  ["main/engine", ["contract", "main/packs", "main/files", "main/process"]],
  // An imported pack's weights are checked by the code that will read them.
  ["main/import", ["contract", "main/packs", "main/engine/compile/weights.ts", "main/engine/float16.ts"]],
  [
    "main/host",
    ["contract", "main/packs", "main/files", "main/process", "main/import", "main/engine/compile/weights.ts"],
  ],
  ["main/electron", ["contract", "main/host", "main/packs", "main/files", "main/process"]],
  ["main/web", ["contract", "main/host", "main/packs"]],
  // `megabyte serve` is the web host begun from the command line.
  ["main/cli", ["contract", "main/host", "main/packs", "main/files", "main/web"]],
  ["main", ["main/cli", "main/electron"]],
]

const within = (file: string, folder: string) => file === folder || file.startsWith(`${folder}/`)

/** TypeScript in a folder and those below it, as paths from the root. */
const sources = (top: string) =>
  readdirSync(join(root, top), { recursive: true, encoding: "utf8" })
    .map((entry) => join(top, entry))
    .filter((file) => /\.tsx?$/.test(file))

/** Every source of the app with the files that it imports, as paths from the root. */
function imports(): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const top of ["contract", "main", "renderer"])
    for (const file of sources(top).filter((file) => !/\.(test|d)\.tsx?$/.test(file))) {
      const text = readFileSync(join(root, file), "utf8")
      const named = [...text.matchAll(/(?:from|import)\s*\(?"(\.[^"]+\.(?:tsx?|json))"/g)].map(
        ([, path]) => path as string,
      )
      found.set(
        file,
        named.map((path) => relative(root, join(root, dirname(file), path))),
      )
    }
  return found
}

/** The imports that cross a border. */
function crossings(all: Map<string, string[]>): string[] {
  return [...all].flatMap(([file, imported]) => {
    const [folder, may] = borders.find(([folder]) => within(file, folder)) ?? ["", []]
    const allowed = (other: string) => [folder, ...may].some((place) => within(other, place))
    return imported.filter((other) => !allowed(other)).map((other) => `${file} imports ${other}`)
  })
}

/** The first circle of imports, as the files on it. */
function circle(all: Map<string, string[]>): string[] {
  const done = new Set<string>()
  const walk = (file: string, path: string[]): string[] => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file]
    if (done.has(file)) return []
    for (const other of all.get(file) ?? []) {
      const found = walk(other, [...path, file])
      if (found.length) return found
    }
    done.add(file)
    return []
  }
  for (const file of all.keys()) {
    const found = walk(file, [])
    if (found.length) return found
  }
  return []
}

describe("the house", () => {
  const all = imports()

  it("has no import across a border", () => {
    expect(all.size).toBeGreaterThan(80)
    expect(crossings(all)).toEqual([])
  })

  it("has no circle", () => expect(circle(all)).toEqual([]))

  it("has no file over 400 lines without a reason at its top", () => {
    const folders = ["contract", "main", "renderer", "test", "bench", "native-models"]
    const isExplained = (file: string) => {
      const lines = readFileSync(join(root, file), "utf8").split("\n")
      return lines.length <= 401 || lines.slice(0, 40).some((line) => line.includes("Over 400 lines: "))
    }
    expect(folders.flatMap(sources).filter((file) => !isExplained(file))).toEqual([])
  })

  // Only tests may be longer, whose describes grow: biome.json.
  it("has no function over 75 lines", () => {
    const rule = "--only=complexity/noExcessiveLinesPerFunction"
    const biome = join(root, "node_modules/@biomejs/biome/bin/biome")
    const folders = ["contract", "main", "renderer", "test", "bench", "native-models"]
    const args = [biome, "lint", rule, "--error-on-warnings", ...folders]
    const { status, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" })
    expect(status, stderr).toBe(0)
  }, 120_000)

  it("would be told of either", () => {
    const broken = new Map([
      ["contract/a.ts", ["main/host/b.ts"]],
      ["main/host/b.ts", ["contract/a.ts"]],
    ])
    expect(crossings(broken)).toEqual(["contract/a.ts imports main/host/b.ts"])
    expect(circle(broken)).toEqual(["contract/a.ts", "main/host/b.ts", "contract/a.ts"])
  })
})
