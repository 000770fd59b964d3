"""The stages of newsbeam: pure logic, each beside its thin Beam transform."""
