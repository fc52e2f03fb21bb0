import constants from "../../../contract/constants.json" with { type: "json" }

/** The angle by which pair `i` of a head's `half` pairs is turned at a position (Su et al. 2021). */
export const rotaryAngle = (position: number, i: number, half: number) =>
  position * constants.rotary.base ** (-i / half)
