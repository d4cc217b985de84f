"""The command as a person runs it."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from random import Random

import pytest
from tests.lab.app_stream import app_stream
from tests.support.captures import hci_log
from tests.support.captures.hci_log import ACL, EVENT, RECEIVED, SENT, Packet

from belvedere.head.frames import pack
from belvedere.head.profile import load_profile, shipped_profile

COMMAND = [sys.executable, "-m", "belvedere.cli", "snoop"]
PAN = "C0:DE:00:00:5A:1E"
PONS = shipped_profile("zeapon-pons-pt").frame
PACKETS = [
    Packet(1, RECEIVED, EVENT, hci_log.connected(0x40, PAN)),
    Packet(2, SENT, ACL, hci_log.att(0x40, b"\x52\x17\0\2\1")),
    Packet(3, RECEIVED, ACL, hci_log.att(0x40, b"\x1b\x19\0\x82")),
]


@pytest.fixture
def log(tmp_path: Path) -> str:
    path = tmp_path / "btsnoop_hci.log"
    path.write_bytes(hci_log.btsnoop(PACKETS))
    return str(path)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL
    )


@pytest.mark.realtime
@pytest.mark.parametrize("file", ["-", "/dev/stdin"])
@pytest.mark.parametrize("option", ["--csv", "--json"])
def test_a_log_that_comes_through_a_pipe_is_read_like_a_file(log: str, file: str, option: str) -> None:
    command, piped = [*COMMAND, file, option], Path(log).read_bytes()
    ran = subprocess.run(command, input=piped, capture_output=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.decode() == run(log, option).stdout.replace(log, file)


@pytest.mark.realtime
def test_where_no_pipe_is_none_is_waited_for(tmp_path: Path) -> None:
    line = f"{sys.executable} -m belvedere.cli snoop - <&-"
    ran = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path)
    assert (ran.returncode, ran.stderr) == (
        2,
        "belvedere: -: standard input is not a pipe; use `belvedere snoop - < FILE`, or name the file\n",
    )


@pytest.mark.realtime
def test_a_person_sees_tables(log: str) -> None:
    ran = run(log)
    assert ran.returncode == 0, ran.stderr
    assert PAN in ran.stdout
    assert "0x0017" in ran.stdout
    assert "belvedere inspect" in ran.stdout


@pytest.mark.realtime
def test_a_program_reads_json_of_what_it_wants(log: str) -> None:
    ran = run(log, "--json", "--handle", "0x19", "--device", PAN.lower())
    assert ran.returncode == 0, ran.stderr
    assert [one["handle"] for one in json.loads(ran.stdout)["streams"]] == [0x19]


@pytest.mark.realtime
def test_a_program_reads_csv_and_notes_go_elsewhere(log: str) -> None:
    with Path(log).open("ab") as file:
        file.write(b"\0")
    ran = run(log, "--csv", "--handle", "23")
    assert ran.returncode == 0, ran.stderr
    rows = list(csv.DictReader(ran.stdout.splitlines()))
    assert [(row["frame"], row["opcode"], row["handle"], row["value"]) for row in rows] == [
        ("2", "0x52", "0x0017", "0201")
    ]
    assert "cut short in record 4" in ran.stderr


@pytest.mark.realtime
def test_a_timeline_is_drawn_into_a_file(log: str, tmp_path: Path) -> None:
    ran = run(log, "--timeline", str(tmp_path / "picture.svg"))
    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "picture.svg").read_text(encoding="utf-8").startswith("<svg")


@pytest.mark.realtime
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["{folder}/nowhere.log"], "nowhere.log: No such file"),
        (["{folder}"], "Is a directory"),
        (["{folder}/text"], "not a Bluetooth log"),
        (["/dev/null"], "/dev/null: neither a file nor a pipe"),
        (["-"], "-: an empty file"),
        (["--jason", "{log}"], "Unknown option: --jason"),
        (["{log}", "--handle", "0x99"], "no values over handle 0x0099; available: 0x0017"),
        (["{folder}/empty"], "an empty file"),
        (["{log}", "--device", "PONS-9"], "no device PONS-9"),
        (["{log}", "--handle", "seventeen"], "--handle seventeen"),
        (["{log}", "--handle", "0x10000"], "--handle 0x10000"),
        (["{log}", "--json", "--csv"], "choose one"),
        (["{log}", "--timeline", "picture.png"], "picture.png"),
        (["{log}", "--timeline", "{folder}/no/picture.svg"], "picture.svg"),
        (["{log}", "--profile", "{folder}/head.txt"], "give a file name that ends in .toml"),
        (["{folder}/report.zip"], "an archive without a Bluetooth log"),
        ([], "requires an argument"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_status_2(
    log: str, tmp_path: Path, arguments: list[str], words: str
) -> None:
    (tmp_path / "text").write_text("hello\n" * 9, encoding="utf-8")
    (tmp_path / "empty").touch()
    with zipfile.ZipFile(tmp_path / "report.zip", "w") as report:
        report.writestr("version.txt", "2.0")
    ran = run(*(argument.format(folder=tmp_path, log=log) for argument in arguments))
    assert (ran.returncode, ran.stdout) == (2, "")
    assert words in ran.stderr
    assert ran.stderr.startswith("belvedere: ")
    assert ran.stderr.count("\n") == 1


@pytest.mark.realtime
def test_whoever_reads_only_the_beginning_sees_no_complaint(log: str) -> None:
    Path(log).write_bytes(hci_log.btsnoop([PACKETS[1]] * 20_000))
    line = f"{sys.executable} -m belvedere.cli snoop {log} --csv | head -n 1"
    ran = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=60, check=False)
    assert ran.stdout == "frame,time,device,direction,opcode,handle,uuid,value\n"
    assert all(line.startswith("belvedere: ") for line in ran.stderr.splitlines()), ran.stderr


@pytest.fixture
def drive_log(tmp_path: Path) -> str:
    stream = app_stream(lambda velocity: pack(PONS, velocity), Random(1))
    begun = [
        Packet(1, RECEIVED, EVENT, hci_log.advertised(PAN, hci_log.named("PONS-PAN-1"))),
        Packet(2, RECEIVED, EVENT, hci_log.connected(0x40, PAN)),
    ]
    driven = [
        Packet(round(1e6 * one.time_s), SENT, ACL, hci_log.att(0x40, b"\x52\x17\0" + one.value))
        for one in stream.samples
    ]
    path = tmp_path / "drive.log"
    path.write_bytes(hci_log.btsnoop([*begun, *driven]))
    return str(path)


@pytest.mark.realtime
def test_a_profile_is_drafted_that_the_server_accepts(drive_log: str, tmp_path: Path) -> None:
    file = tmp_path / "head.toml"
    ran = run(drive_log, "--profile", str(file))
    assert ran.returncode == 0, ran.stderr
    assert "a direction: 00 at rest" in ran.stdout
    profile = load_profile(file.read_text(encoding="utf-8"), "head.toml")
    assert profile.pan is not None
    assert profile.pan.name_patterns == ("PONS-PAN-1",)
    batches = run(drive_log, "--profile", str(file))
    assert batches.returncode == 2  # a profile that somebody may have worked on is not overwritten
    assert batches.stderr.strip().count("\n") == 0


@pytest.mark.realtime
def test_a_bug_report_is_read_and_a_device_is_chosen_by_its_name(drive_log: str, tmp_path: Path) -> None:
    report = tmp_path / "bugreport.zip"
    with zipfile.ZipFile(report, "w") as archive:
        archive.write(drive_log, "FS/data/log/bt/btsnoop_hci.log")
    ran = run(str(report), "--device", "pons-pan", "--json")
    assert ran.returncode == 0, ran.stderr
    assert [one["label"] for one in json.loads(ran.stdout)["devices"]] == [PAN]
    assert ran.stderr == f"belvedere: reading FS/data/log/bt/btsnoop_hci.log in {report}\n"
    ran = run(str(report), "--device", "TILT")
    assert f"no device TILT; available: {PAN} (PONS-PAN-1)" in ran.stderr


@pytest.mark.realtime
def test_a_log_without_commands_drafts_nothing(log: str, tmp_path: Path) -> None:
    ran = run(log, "--profile", str(tmp_path / "head.toml"))
    assert ran.returncode == 2
    assert "no profile can be drafted" in ran.stderr
    assert not (tmp_path / "head.toml").exists()
