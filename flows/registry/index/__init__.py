"""The index of bundles: what makes serving one of millions fast; made of the tables alone.

It may be deleted at any time: until it is made again, bundles come from the tables, more slowly.
"""
