import { existsSync, readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"

const root = join(import.meta.dirname, "../..")
const json = (path: string) => JSON.parse(readFileSync(join(root, path), "utf8"))
const { build, dependencies } = json("package.json")

type System = "linux" | "mac" | "win"
/** What each system's package is built on and for. */
const arch = { linux: "x64", mac: "arm64", win: "x64" }
/** What Node.js calls each. */
const platform = { linux: "linux", mac: "darwin", win: "win32" }

/** Whether a path of the checkout is packed for a system: named, or of production, and not left out. */
function packed(path: string, system: System): boolean {
  const patterns: string[] = build.files
  const left = patterns.some((glob) => glob.startsWith("!") && matches(path, glob.slice(1), system))
  // electron-builder adds what production depends on by itself.
  return !left && (path.startsWith("node_modules/") || patterns.some((glob) => matches(path, glob, system)))
}

/** The few forms of patterns that package.json uses. */
function matches(path: string, glob: string, system: System): boolean {
  const forms: [RegExp, (inner: string) => string][] = [
    [/^!\(\$\{arch\}\)/, () => `(?!${arch[system]}/)[^/]*`],
    [/^!\(\$\{platform\}\)/, () => `(?!${platform[system]}/)[^/]*`],
    [/^\*\*\//, () => "(.*/)?"],
    [/^\/\*\*$/, () => "/.*"],
    [/^\*/, () => "[^/]*"],
    [/^\{([^}]*)\}/, (inner) => `(${inner.replaceAll(",", "|")})`],
    [/^([^*{!]|!)/, (inner) => inner.replace(/[.+?^$()|\\]/, "\\$&")],
  ]
  let source = ""
  for (let rest = glob; rest; ) {
    const [form, make] = forms.find(([pattern]) => pattern.test(rest)) as (typeof forms)[number]
    const [whole, inner = ""] = form.exec(rest) as RegExpExecArray
    source += make(inner)
    rest = rest.slice(whole.length)
  }
  return new RegExp(`^${source}$`).test(path)
}

/** Every file below a folder of the checkout, with its bytes. */
function files(folder: string): { path: string; bytes: number }[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory()) return files(path)
    return entry.isFile() ? [{ path, bytes: statSync(join(root, path)).size }] : []
  })
}
/** What production installs, by the lock file, where it is there. */
const production = Object.entries<{ dev?: boolean; devOptional?: boolean }>(json("package-lock.json").packages)
  .filter(([path, { dev, devOptional }]) => path && !dev && !devOptional && existsSync(join(root, path)))
  .map(([path]) => path)

describe("the package for people", () => {
  it("is sealed: no way to run other code in it by the environment, the command line or a changed archive", () => {
    expect(build.electronFuses).toEqual({
      runAsNode: false,
      enableNodeOptionsEnvironmentVariable: false,
      enableNodeCliInspectArguments: false,
      enableCookieEncryption: true,
      onlyLoadAppFromAsar: true,
      enableEmbeddedAsarIntegrityValidation: true,
      grantFileProtocolExtraPrivileges: false,
    })
    expect(build.asar ?? true).toBe(true)
    const script = readFileSync(join(root, "main/electron/package.ts"), "utf8")
    expect(script).toMatch(/"electron-builder@\d+\.\d+\.\d+"/)
    expect(script).toContain(`["--publish", "never",`)
  })
  it("has the app, its models and what is not bundled, and neither sources nor tests", () => {
    for (const path of ["dist/main/main.js", "dist/renderer/index.html", "native-models/text/weights.safetensors"])
      expect(`${path} ${packed(path, "linux")}`).toBe(`${path} true`)
    for (const path of ["main/start.ts", "test/e2e/app.ts", "native-models/text/README.md", ".npmrc", "dist/package/x"])
      expect(`${path} ${packed(path, "linux")}`).toBe(`${path} false`)
    const config = readFileSync(join(root, "electron.config.ts"), "utf8")
    const names = Object.keys(dependencies).filter((name) => config.includes(`"${name}"`) || name.startsWith("@audio/"))
    expect(names).toContain("onnxruntime-node")
    for (const name of names)
      expect(`${name} ${packed(`node_modules/${name}/package.json`, "win")}`).toBe(`${name} true`)
  })
  it.each(["linux", "mac", "win"] as const)(
    "for %s has native code of that system alone, and stays below 250 MB without Electron",
    (system) => {
      // With patterns of one system's own electron-builder packs the whole checkout.
      expect(build[system].files).toBeUndefined()
      const native = files("node_modules/onnxruntime-node/bin").filter(({ path }) => packed(path, system))
      expect(new Set(native.map(({ path }) => path.split("/")[4]))).toEqual(new Set([platform[system]]))
      const models = files("native-models").filter(({ path }) => packed(path, system))
      const code = production.flatMap((path) => files(path)).filter(({ path }) => packed(path, system))
      const bytes = new Map([...models, ...code].map((file) => [file.path, file.bytes]))
      expect([...bytes.values()].reduce((a, b) => a + b, 0)).toBeLessThan(250e6)
    },
  )
})
