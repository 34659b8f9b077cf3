"""Certificates on 100 random instances a group: how near the reported gap is to the true one."""

import sys

import certificates


def test_certificates(tmp_path, capsys):
    with capsys.disabled():
        certificates.table(tmp_path, sys.stdout)
