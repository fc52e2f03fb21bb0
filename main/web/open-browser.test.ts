import { describe, expect, it } from "vitest"
import { noBrowser } from "./open-browser.ts"

describe("where no browser can be opened, the person is told what to do", () => {
  it("over SSH: the tunnel, with the address that they came by", () => {
    const env = { SSH_CONNECTION: "192.0.2.7 50000 192.0.2.1 22", USER: "ada", DISPLAY: ":0" }
    expect(noBrowser("8123", env, "linux")).toContain("ssh -N -L 8123:127.0.0.1:8123 ada@192.0.2.1 ")
    expect(noBrowser("8123", { ...env, SSH_CONNECTION: "" }, "linux")).toBeUndefined()
  })
  it("without a display on Linux, and nowhere else", () => {
    expect(noBrowser("1", {}, "linux")).toContain("no display")
    expect(noBrowser("1", { WAYLAND_DISPLAY: "wayland-0" }, "linux")).toBeUndefined()
    expect(noBrowser("1", {}, "darwin")).toBeUndefined()
    expect(noBrowser("1", {}, "win32")).toBeUndefined()
  })
})
