"""WARC records as archives hold them."""

import io

from fastwarc.warc import WarcRecord, WarcRecordType


def warc_record(body: bytes, date: str, status: str = "200 OK", url: str = "https://a.example/story") -> bytes:
    """One HTTP answer, not compressed."""
    record = WarcRecord()
    record.init_headers(record_type=WarcRecordType.response)
    record.headers["WARC-Target-URI"] = url
    record.headers["WARC-Date"] = date
    record.headers["Content-Type"] = "application/http; msgtype=response"
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/html; charset=UTF-8\r\n\r\n".encode()
    record.set_bytes_content(head + body)
    member = io.BytesIO()
    record.write(member)
    return member.getvalue()
