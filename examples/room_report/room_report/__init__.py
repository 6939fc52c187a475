"""From a photo of a room to lengths in metres with their uncertainty, and to the furniture that fits.

The way of a photo, one file a step:

    camera      the focal length: from EXIF, a field of view, vanishing points, or assumed
    references  what is known of the room: a door's size, distances, lengths, the camera's height
    planes      flat regions of the depth map
    scale       from the map's numbers to metres: scale and shift
    layout      which planes are floor and ceiling
    walls       which are walls
    room        the room in metres
    floor       where the floor is free
    measures    lengths, heights and rectangles
    uncertainty each number's half-width, and what it is made of
    metrology   the same lengths without a depth map, from vanishing points
    catalogue   furniture in a database
    verdicts    what fits, by how much, and how sure that is

`room_report.survey` runs them in this order. Then `album` joins the photos of a room, and `page` writes the report:

    marks       what someone marked in a photo, as a file
    quality     whether the photo is good for measuring
    annotated   the photo with its measures, drawn by `svg`
    plan        the floor plan
    space_view  the room in 3-D
    results     all numbers, as JSON and CSV
    words       what it says, in English and Chinese
    paper       the page as a PDF
"""
