import { text } from 'node:stream/consumers'
import type { Desktop } from './desktop.ts'
import { Robot } from './robot.ts'

/** Places of windows on the screen, so that none hides another. */
const PLACES = {
  machine: [600, 0],
  host: [0, 840],
  wizard: [1650, 0],
  hardware: [850, 860],
  browser: [1600, 860],
} as const
const MANAGER = 'frame:Virtual Machine Manager'
/** How often the same is edited, and how long it may take until it can be applied. */
const EDITS_MAX = 5
const APPLY_SECONDS = 3
const FRESH = ['--test-options=first-run', '--test-options=firstrun-uri=']

/** What a machine is made with. */
export interface NewMachine {
  readonly name: string
  /** An image that it is to have; none where this is absent. */
  readonly image?: string
}

/** Debian's virt-manager, which does what a user would do with mouse and keyboard. */
export class VirtManager {
  readonly robot: Robot
  readonly #desktop: Desktop
  #log = ''

  /** Starts it on a desktop, with nothing of anybody's settings, and connected to a host. */
  constructor(desktop: Desktop, uri: string) {
    this.#desktop = desktop
    this.robot = new Robot(desktop)
    const child = desktop.run('virt-manager', '--connect', uri, '--debug', ...FRESH)
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (this.#log += chunk))
  }

  /** What it has told of its doings. */
  get log(): string {
    return this.#log
  }

  /** Has it connect to one more host, and do there what options of its command say. */
  async connect(uri: string, ...options: readonly string[]): Promise<void> {
    const child = this.#desktop.run('virt-manager', '--connect', uri, '--no-fork', ...options)
    await text(child.stdout) // It tells the one that runs, and ends.
  }

  /** Waits until its list shows a machine in a state. */
  async shows(name: string, state: 'Running' | 'Shutoff' | 'Paused'): Promise<void> {
    await this.robot.find(`${MANAGER} > table cell:${name}\n${state}`)
  }

  /** Waits until its list does not show a machine. */
  async forgets(name: string): Promise<void> {
    await this.robot.gone(`${MANAGER} > table cell:${name}\n`)
  }

  /** Opens the window of a machine in its list, of the first of that name. */
  async open(name: string, connection: string): Promise<MachineWindow> {
    await this.robot.select(`${MANAGER} > table cell:${name}\n`)
    await this.robot.click(`${MANAGER} > push button:Open`)
    return this.#machine(name, connection)
  }

  /** Connects to one more host, which is called so, and shows what a guest shows there. */
  async look(uri: string, connection: string, name: string): Promise<MachineWindow> {
    await this.connect(uri, '--show-domain-console', name)
    return this.#machine(name, connection)
  }

  /** Makes a machine with the wizard, on the connection of this label, and waits for its window. */
  async create(connection: string, { name, image }: NewMachine): Promise<MachineWindow> {
    const wizard = 'frame:New VM'
    const { robot } = this
    const forward = () => robot.click(`${wizard} > push button:Forward`)
    await robot.select(`${MANAGER} > table cell:${connection}$`)
    await robot.click(`${MANAGER} > push button:New`)
    await robot.place(wizard, ...PLACES.wizard)
    await robot.click(`${wizard} > radio button:${image === undefined ? 'Manual' : 'Import'}`)
    await forward()
    if (image !== undefined) await robot.fill(`${wizard} > text:import-entry`, image)
    await robot.fill(`${wizard} > text:oslist-entry`, 'generic')
    await robot.click(`${wizard} > table cell:Generic or unknown`)
    await robot.gone(`${wizard} > table cell:Generic or unknown`)
    await forward()
    await robot.find(`${wizard} > spin button:cpus`)
    await forward()
    // What it would make of a disk by itself is taken as it is.
    if (image === undefined) await forward()
    await robot.find(`${wizard} > push button:Finish`)
    await robot.fill(`${wizard} > text:Name`, name)
    await robot.click(`${wizard} > push button:Finish`)
    return this.#machine(name, connection)
  }

  /** Opens the window that tells of a connection. */
  async host(label: string): Promise<HostWindow> {
    await this.robot.select(`${MANAGER} > table cell:${label}`)
    await this.robot.click(`${MANAGER} > menu:Edit`)
    await this.robot.click(`${MANAGER} > menu item:Connection Details`)
    const path = `frame:${label} - Connection Details`
    await this.robot.place(path, ...PLACES.host)
    return new HostWindow(this.robot, path)
  }

  /** Takes a picture of the whole screen. */
  async shot(file: string): Promise<void> {
    await this.robot.shot(file, [0, 0, 2560, 1700])
  }

  async #machine(name: string, connection: string): Promise<MachineWindow> {
    const path = `frame:${name} on ${connection}$`
    await this.robot.place(path, ...PLACES.machine)
    return new MachineWindow(this.robot, path)
  }
}

/** The window of a machine. */
export class MachineWindow {
  readonly #robot: Robot
  readonly path: string

  constructor(robot: Robot, path: string) {
    this.#robot = robot
    this.path = path
  }

  /** Presses a button of the tool bar: `Run`, `Shut Down`, `Console`, `Details`. */
  async press(button: 'Run' | 'Shut Down'): Promise<void> {
    await this.#robot.click(`${this.path} > push button:${button}`)
  }

  /** Cuts the power, as the user confirms. */
  async forceOff(): Promise<void> {
    await this.#robot.click(`${this.path} > toggle button:Menu`)
    await this.#robot.click(`${this.path} > toggle button:Menu > menu item:Force Off`)
    await this.#confirm('Yes')
  }

  /** Shows a page of what it has, such as `CPUs`. */
  async page(name: string): Promise<void> {
    await this.#robot.click(`${this.path} > radio button:Details`)
    await this.#robot.select(`${this.path} > table:hw-list > table cell:${name}`)
  }

  /** What a field of the page says. */
  async value(field: string): Promise<string> {
    return (await this.#robot.find(`${this.path} > spin button:${field}`)).text
  }

  /** Changes fields of a page, and applies that. */
  async change(page: string, fields: Readonly<Record<string, string>>): Promise<void> {
    await this.page(page)
    const entries = Object.entries(fields)
    await this.#applying(
      async () => {
        for (const [field, value] of entries) await this.#robot.fill(`${this.path} > spin button:${field}`, value)
      },
      async () => {
        const values = await Promise.all(entries.map(([field]) => this.value(field)))
        return entries.every(([, value], at) => values[at] === value)
      },
    )
  }

  /** Ticks a box of a page, or takes the tick away, and applies that. */
  async tick(page: string, box: string, isTicked: boolean): Promise<void> {
    await this.page(page)
    await this.#applying(
      async () => {
        if ((await this.isTicked(page, box)) !== isTicked) await this.#robot.click(`${this.path} > check box:${box}`)
      },
      async () => (await this.isTicked(page, box)) === isTicked,
    )
  }

  /** Whether a box of a page is ticked. */
  async isTicked(page: string, box: string): Promise<boolean> {
    await this.page(page)
    return (await this.#robot.find(`${this.path} > check box:${box}`)).isChecked
  }

  /** virt-manager takes back what was not applied yet when it hears of a change that came before. */
  async #applying(edit: () => Promise<void>, isDone: () => Promise<boolean>): Promise<void> {
    const button = `${this.path} > push button:config-apply`
    for (let attempt = 0; attempt < EDITS_MAX; attempt++) {
      await edit()
      if (!(await this.#robot.canUse(button, APPLY_SECONDS))) continue
      await this.#robot.click(button)
      await this.#robot.unusable(button)
      if (await isDone()) return
    }
    throw new Error(`what is edited in ${this.path} does not stay`)
  }

  /** Adds a disk with an image that lies in a pool. */
  async addDisk(pool: string, image: string): Promise<void> {
    const dialog = await this.#addHardware('Storage')
    await this.#robot.click(`${dialog} > radio button:Select or create`)
    await this.#robot.click(`${dialog} > push button:storage-browse`)
    const browser = 'frame:vmm-storage-browser'
    await this.#robot.place(browser, ...PLACES.browser)
    await this.#robot.select(`${browser} > table cell:${pool}`)
    await this.#robot.select(`${browser} > table cell:${image}`)
    await this.#robot.click(`${browser} > push button:Choose Volume`)
    await this.#robot.gone(browser)
    await this.#finish(dialog)
  }

  /** Adds a cable to a network. */
  async addNic(network: string): Promise<void> {
    const dialog = await this.#addHardware('Network')
    await this.#robot.choose(`${dialog} > combo box:net-source`, `Virtual network '${network}'`)
    await this.#finish(dialog)
  }

  /** How much of what shows the guest has a colour, 0 to 1. */
  async shareOf(colour: string): Promise<number> {
    const { box } = await this.#robot.find(`${this.path} > viewport:console-gfx-viewport`)
    const counts = await this.#robot.colours(box)
    const all = [...counts.values()].reduce((sum, count) => sum + count, 0)
    return (counts.get(colour) ?? 0) / all
  }

  /** Closes the window; the machine goes on. */
  async close(): Promise<void> {
    await this.#robot.click(`${this.path} > menu:File`)
    await this.#robot.click(`${this.path} > menu:File > menu item:Close`)
    await this.#robot.gone(this.path)
  }

  /** Deletes the machine, and leaves its images. */
  async delete(): Promise<void> {
    const dialog = 'frame:Delete Virtual Machine'
    await this.#robot.click(`${this.path} > menu:Virtual Machine`)
    await this.#robot.click(`${this.path} > menu:Virtual Machine > menu item:Delete`)
    await this.#robot.place(dialog, ...PLACES.hardware)
    const box = `${dialog} > check box:Delete associated storage files`
    if ((await this.#robot.find(box)).isChecked) await this.#robot.click(box)
    await this.#robot.click(`${dialog} > push button:Delete`)
    await this.#robot.gone(dialog)
  }

  async #addHardware(kind: string): Promise<string> {
    const dialog = 'frame:Add New Virtual Hardware'
    await this.#robot.click(`${this.path} > push button:add-hardware`)
    await this.#robot.place(dialog, ...PLACES.hardware)
    await this.#robot.select(`${dialog} > table cell:${kind}`)
    return dialog
  }

  async #finish(dialog: string): Promise<void> {
    await this.#robot.click(`${dialog} > push button:Finish`)
    await this.#robot.gone(dialog)
  }

  async #confirm(button: string): Promise<void> {
    await this.#robot.click(`alert: > push button:${button}`)
    await this.#robot.gone('alert:')
  }
}

/** The window that tells of a host. */
export class HostWindow {
  readonly #robot: Robot
  readonly path: string

  constructor(robot: Robot, path: string) {
    this.#robot = robot
    this.path = path
  }

  /** Shows a page: `Overview`, `Virtual Networks` or `Storage`. */
  async page(name: string): Promise<void> {
    await this.#robot.click(`${this.path} > page tab:${name}`)
  }

  /** Waits for a label or a cell. */
  async shows(what: string): Promise<void> {
    await this.#robot.find(`${this.path} > ${what}`)
  }

  /** The XML of a network. */
  async networkXml(name: string): Promise<string> {
    await this.page('Virtual Networks')
    await this.#robot.select(`${this.path} > table:net-list > table cell:${name}`)
    await this.#robot.click(`${this.path} > filler:network-grid > page tab:XML`)
    return (await this.#robot.find(`${this.path} > filler:network-grid > text:XML editor`)).text
  }

  async close(): Promise<void> {
    await this.#robot.click(`${this.path} > menu:File`)
    await this.#robot.click(`${this.path} > menu:File > menu item:Close`)
    await this.#robot.gone(this.path)
  }
}
