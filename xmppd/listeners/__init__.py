"""Sockets: what comes in is counted, limited, decrypted and handed to `wire`; what goes out is joined and sent."""
