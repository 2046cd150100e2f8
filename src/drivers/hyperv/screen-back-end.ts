// What looking at guests, and pressing keys for them, needs of a host, whichever of its namespaces it is told through.

/** In pixels. */
export interface Size {
  readonly width: number
  readonly height: number
}

/** The keyboard of a machine that is on; keys go by Windows' virtual-key codes. */
export interface Keyboard {
  press(key: number): Promise<void>
  release(key: number): Promise<void>
  isPressed(key: number): Promise<boolean>
}

/** The part of a back end that is about screens and keyboards. */
export interface ScreenBackEnd {
  /** The size of the screen that a machine shows; undefined where the host tells of none. */
  screenSize(machineGuid: string): Promise<Size | undefined>
  /** What it shows, scaled to a size: each pixel in two bytes, five bits of red, six of green, five of blue, little endian. */
  picture(machineGuid: string, size: Size): Promise<Uint8Array>
  /** Undefined of a machine that has none now. */
  keyboard(machineGuid: string): Promise<Keyboard | undefined>
}
