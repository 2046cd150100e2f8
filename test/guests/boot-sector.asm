; A guest in one sector: enough of a computer to see whether a hypervisor does what it says.
;
; Prints BOOT-OK, the number of disks the firmware found (DISKS n), and then a counter once a second (TICK nnnn), all on
; COM1. Pressing the ACPI power button switches it off. Understands one-byte commands on COM1: p powers off, r resets,
; s suspends to its own disk (ACPI S4; it saves nothing), c reports a crash (pvpanic), h hangs. Its mood, the byte before
; the signature, makes it disobedient: d ignores the power button; b never halts
; the CPU to wait; a command it gives itself at the second tick.
;
; Assemble with `nasm -f bin`; boot-sector.ts has the result.

bits 16
org 0x7c00

COM1      equ 0x3f8
COM1_LINE equ COM1 + 5      ; line status: bit 0 received, bit 5 may send
PM_STATUS equ 0x600         ; where SeaBIOS puts the PIIX4's ACPI registers
PM_ENABLE equ 0x602
PM_CONTROL equ 0x604
PM_BUTTON equ 0x0100        ; power button, in status and enable
PVPANIC   equ 0x505
KEYBOARD  equ 0x64
BIOS_TICKS equ 0x046c       ; 18.2 times a second
BIOS_DISKS equ 0x0475
TICKS_A_SECOND equ 18

begin:
        cli
        cld
        xor bx, bx
        mov ds, bx
        mov ss, bx
        mov sp, begin
        jmp 0:.here             ; some firmware comes in as 07c0:0000
.here:
        mov si, serial_setup    ; pairs of register offset and value
.setup:
        lodsw
        cmp al, 0xff
        je .ready
        mov dx, COM1
        add dl, al
        mov al, ah
        out dx, al
        jmp .setup
.ready:
        mov dx, PM_CONTROL      ; ACPI on, so that the button is ours
        in ax, dx
        or al, 1
        out dx, ax
        mov dx, PM_ENABLE
        mov ax, PM_BUTTON
        out dx, ax

        mov si, hello
        call print
        mov al, [BIOS_DISKS]
        add al, '0'
        call send
        mov al, 10
        call send

wait_on:
        sti
        cmp byte [mood], 'b'
        je .awake
        hlt                     ; the timer wakes us
.awake:
        mov dx, PM_STATUS
        in ax, dx
        test ah, PM_BUTTON >> 8
        jz .no_button
        cmp byte [mood], 'd'
        jne power_off
        mov ax, PM_BUTTON       ; pressed, noted, ignored
        out dx, ax
.no_button:
        mov ax, [BIOS_TICKS]
        mov cx, ax
        sub cx, [last]
        cmp cx, TICKS_A_SECOND
        jb .no_tick
        mov [last], ax
        call tick
        cmp byte [digits + 3], '2'
        jb .no_tick
        mov al, [mood]
        jmp obey
.no_tick:
        mov dx, COM1_LINE
        in al, dx
        test al, 1
        jz wait_on
        mov dx, COM1
        in al, dx
obey:
        cmp al, 'p'
        je power_off
        cmp al, 'r'
        je reset
        cmp al, 's'
        je suspend
        cmp al, 'c'
        je crash
        cmp al, 'h'
        jne wait_on
hang:
        cli
        hlt
        jmp hang

power_off:
        mov si, bye
        call print
        mov dx, PM_CONTROL
        mov ax, 0x2000          ; sleep type 0, which is off on the PIIX4, and go
        out dx, ax
        jmp hang
suspend:
        mov dx, PM_CONTROL
        mov ax, 0x2800          ; sleep type 2, which is S4 on the PIIX4, and go
        out dx, ax
        jmp hang
reset:
        mov al, 0xfe
        out KEYBOARD, al
        jmp hang
crash:
        mov dx, PVPANIC
        mov al, 1
        out dx, al
        jmp hang

; Counts in the text itself, four decimal digits.
tick:
        mov bx, digits + 3
.carry:
        inc byte [bx]
        cmp byte [bx], '9'
        jbe .counted
        mov byte [bx], '0'
        dec bx
        cmp bx, digits
        jae .carry
.counted:
        mov si, tick_text
        call print
        ret

; Prints the text at si, up to a zero.
print:
        lodsb
        or al, al
        jz .done
        call send
        jmp print
.done:
        ret

send:
        push ax
        mov dx, COM1_LINE
.busy:
        in al, dx
        test al, 0x20
        jz .busy
        pop ax
        mov dx, COM1
        out dx, al
        ret

serial_setup:                   ; 115200 baud, 8 data bits, no parity, no interrupts
        db 1, 0x00, 3, 0x80, 0, 0x01, 1, 0x00, 3, 0x03, 0xff, 0xff
hello:  db 'BOOT-OK', 10, 'DISKS ', 0
bye:    db 'BYE', 10, 0
tick_text: db 'TICK '
digits: db '0000', 10, 0
last:   dw 0

        times 509 - ($ - $$) db 0
mood:   db 'o'
        dw 0xaa55
