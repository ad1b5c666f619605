"""What the HTTP APIs of all services have in common.

Owns problem details, request ids, the health routes, paging, the peer secret and the serving
process. It knows no route of any service.
"""
